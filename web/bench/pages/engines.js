// One interface to all engines: a network that is open turns an image into logits.

const ORT = new URL("../node_modules/onnxruntime-web/dist/", import.meta.url);

/**
 * @typedef {{ size: number, file: string, threads: number }} Options
 * @typedef {{ about: string, run: (image: Float32Array) => Float32Array | Promise<Float32Array> }} Network
 * @type {Record<string, (options: Options) => Promise<Network>>}
 */
const ENGINES = {
  async bnas({ file }) {
    const { load } = await import("../../src/index.js");
    const model = await load(file);
    return { about: model.isa, run: (image) => model.run(image) };
  },

  async ort({ file, size, threads }) {
    const ort = await import(new URL("ort.wasm.min.mjs", ORT).href);
    ort.env.wasm.wasmPaths = ORT.href;
    ort.env.wasm.numThreads = threads;
    const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
    const session = await ort.InferenceSession.create(file, options);
    const run = async (/** @type {Float32Array} */ image) => {
      const { logits } = await session.run({ image: new ort.Tensor("float32", image, [1, 3, size, size]) });
      return logits.data;
    };
    return { about: `onnxruntime-web ${ort.env.versions.web}`, run };
  },

  async tfjs(options) {
    const { openTfjs } = await import("./tfjs.js");
    return openTfjs(options);
  },
};

/**
 * Opens what the page's address asks for.
 * @param {URLSearchParams} asked
 */
export function open(asked) {
  const [size, threads] = ["size", "threads"].map((name) => Number(asked.get(name)));
  return ENGINES[asked.get("engine") ?? ""]({ size, threads, file: asked.get("file") ?? "" });
}
