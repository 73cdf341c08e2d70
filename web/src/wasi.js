// The functions of WASI (snapshot preview 1) that the engine asks for.

const OK = 0;
const NANOSECONDS = 1e6; // of a millisecond

/**
 * @param {() => WebAssembly.Memory} memory
 * @returns {WebAssembly.Imports}
 */
export function wasiImports(memory) {
  const view = () => new DataView(memory().buffer);
  return {
    env: { emscripten_notify_memory_growth: () => {} },
    wasi_snapshot_preview1: {
      /** @type {(clock: number, precision: bigint, time: number) => number} */
      clock_time_get(_clock, _precision, time) {
        view().setBigUint64(time, BigInt(Math.round(performance.now() * NANOSECONDS)), true);
        return OK;
      },
      // No environment variables.
      /** @type {(count: number, bytes: number) => number} */
      environ_sizes_get(count, bytes) {
        view().setUint32(count, 0, true);
        view().setUint32(bytes, 0, true);
        return OK;
      },
      environ_get: () => OK,
      /** @type {(code: number) => never} */
      proc_exit(code) {
        throw new Error(`the engine has stopped with ${code}`);
      },
    },
  };
}
