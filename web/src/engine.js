// The engine: the C library as a module of WebAssembly, and how arguments get into its memory.
import { BnasError } from "./error.js";
import { readBytes } from "./bytes.js";
import { wasiImports } from "./wasi.js";

const API_VERSION = 0; // of kernels/c_api/bnas.h
const ERROR_BYTES = 504; // struct bnas_error: status, message
const MESSAGE_BYTES = 500;

/** @type {Map<string, Promise<Engine>>} */
const engines = new Map();

/**
 * The engine from an address; modules are compiled once, and shared by all models.
 * @param {string | URL} [url] by default the file that comes with this package
 * @returns {Promise<Engine>}
 */
export function engineFrom(url = new URL("../dist/bnas.wasm", import.meta.url)) {
  const key = String(url);
  const known = engines.get(key);
  if (known) return known;
  const coming = readBytes(url).then(({ bytes }) => Engine.from(bytes));
  engines.set(key, coming);
  coming.catch(() => engines.delete(key)); // the next one tries again
  return coming;
}

export class Engine {
  /** @param {WebAssembly.Instance} instance */
  constructor(instance) {
    /** @type {any} */
    this.c = instance.exports;
    this.c._initialize();
    const version = this.c.bnas_api_version();
    if (version !== API_VERSION) {
      throw new BnasError("backend", `expected an engine of API ${API_VERSION}, got ${version}`);
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  static async from(bytes) {
    /** @type {WebAssembly.Memory} */
    let memory;
    try {
      const { instance } = await WebAssembly.instantiate(bytes, wasiImports(() => memory));
      memory = /** @type {WebAssembly.Memory} */ (instance.exports.memory);
      return new Engine(instance);
    } catch (error) {
      if (error instanceof BnasError) throw error;
      const need = "the engine needs WebAssembly with SIMD and exceptions";
      throw new BnasError("backend", `${need}: ${/** @type {Error} */ (error).message}`, {
        cause: error,
      });
    }
  }

  /** All memory; it moves when it grows, so views are made when they are used. */
  get bytes() {
    return new Uint8Array(this.c.memory.buffer);
  }

  get view() {
    return new DataView(this.c.memory.buffer);
  }

  /**
   * Calls body with a function that allocates; all of it is freed afterwards.
   * @template T
   * @param {(allocate: (bytes: number) => number) => T} body
   * @returns {T}
   */
  scoped(body) {
    /** @type {number[]} */
    const blocks = [];
    try {
      return body((bytes) => {
        const block = this.c.malloc(Math.max(bytes, 1));
        if (block === 0) throw new BnasError("memory", "memory ran out");
        blocks.push(block);
        return block;
      });
    } finally {
      for (const block of blocks) this.c.free(block);
    }
  }

  /**
   * Calls a function of the C library whose last argument is the error.
   * @param {string} name
   * @param {...number} values
   */
  call(name, ...values) {
    this.scoped((allocate) => {
      const error = allocate(ERROR_BYTES);
      const status = this.c[name](...values, error);
      if (status !== 0) throw BnasError.ofStatus(status, this.text(error + 4, MESSAGE_BYTES));
    });
  }

  /**
   * @param {number} address of text in UTF-8 that ends with a zero
   * @param {number} [most] bytes
   */
  text(address, most = Infinity) {
    const end = this.bytes.indexOf(0, address);
    return new TextDecoder().decode(this.bytes.slice(address, Math.min(end, address + most)));
  }

  /**
   * @param {number} address
   * @param {Uint8Array | Uint8ClampedArray} bytes
   */
  write(address, bytes) {
    this.bytes.set(bytes, address);
  }
}
