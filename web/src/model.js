// A packed network, ready to run; documented in index.d.ts.
import { describe } from "./description.js";
import { BnasError } from "./error.js";
import { pixelsOf } from "./pixels.js";

const RGBA = 4; // bytes of a pixel
const THREADS = 1;
const DEFAULT = 0; // no name of an instruction set

export class Model {
  #engine;
  #handle;

  /**
   * @param {import("./engine.js").Engine} engine
   * @param {number} handle of the C library
   */
  constructor(engine, handle) {
    this.#engine = engine;
    this.#handle = handle;
    const { inputShape, labels, isa, formatVersion, preprocessing, memory } = describe(
      engine,
      handle,
    );
    this.inputShape = inputShape;
    this.labels = labels;
    this.isa = isa;
    this.formatVersion = formatVersion;
    this.preprocessing = preprocessing;
    this.memory = memory;
  }

  /**
   * @param {import("./engine.js").Engine} engine
   * @param {Uint8Array} bytes of a .bnn file
   */
  static fromBytes(engine, bytes) {
    const handle = engine.scoped((allocate) => {
      const file = allocate(bytes.length);
      engine.write(file, bytes);
      const out = allocate(4);
      engine.call("bnas_model_load_memory", file, bytes.length, DEFAULT, out);
      return engine.view.getUint32(out, true);
    });
    return new Model(engine, handle);
  }

  /** @param {Float32Array} images */
  run(images) {
    const handle = this.#alive();
    const size = this.#size();
    if (!(images instanceof Float32Array) || images.length % size !== 0) {
      throw new BnasError(
        "argument",
        `expected a Float32Array of images of ${this.inputShape.join(" x ")} numbers,` +
          ` got ${images?.length} numbers in ${Object.prototype.toString.call(images)}`,
      );
    }
    return this.#engine.scoped((allocate) => {
      const input = allocate(images.byteLength);
      this.#engine.write(input, bytesOf(images));
      return this.#logits(allocate, "bnas_model_run", handle, input, images.length / size);
    });
  }

  /** @param {any} picture */
  prepare(picture) {
    return this.#prepared(picture, (_allocate, address, size) =>
      this.#engine.bytes.slice(address, address + size),
    );
  }

  /** @param {any} picture */
  logits(picture) {
    return this.#prepared(picture, (allocate, address) =>
      this.#logits(allocate, "bnas_model_run_rgb", this.#handle, address, 1),
    );
  }

  /**
   * @param {any} picture
   * @param {{ top?: number }} [options]
   */
  classify(picture, { top = 5 } = {}) {
    return this.rank(this.logits(picture), top);
  }

  /**
   * @param {Float32Array} logits of one image
   * @param {number} [top]
   */
  rank(logits, top = 5) {
    const handle = this.#alive();
    if (!(logits instanceof Float32Array) || logits.length !== this.labels.length) {
      throw new BnasError("argument", `expected ${this.labels.length} logits of one image`);
    }
    if (!Number.isInteger(top) || top < 0) {
      throw new BnasError("argument", `top must be a whole number, got ${top}`);
    }
    const most = Math.min(top, this.labels.length);
    return this.#engine.scoped((allocate) => {
      const [given, classes, probabilities] = [logits.byteLength, 4 * most, 8 * most].map(allocate);
      this.#engine.write(given, bytesOf(logits));
      this.#engine.c.bnas_model_rank(handle, given, most, classes, probabilities);
      const view = this.#engine.view;
      return Array.from({ length: most }, (_, i) => {
        const index = view.getUint32(classes + 4 * i, true);
        const probability = view.getFloat64(probabilities + 8 * i, true);
        return { index, label: this.labels[index], probability };
      });
    });
  }

  free() {
    if (this.#handle !== 0) this.#engine.c.bnas_model_free(this.#handle);
    this.#handle = 0;
  }

  /** Numbers of one image. */
  #size() {
    const [channels, height, width] = this.inputShape;
    return channels * height * width;
  }

  #alive() {
    if (this.#handle === 0) throw new BnasError("argument", "the model was freed");
    return this.#handle;
  }

  /**
   * Calls use with the bytes of a picture of the model's size.
   * @template T
   * @param {any} picture
   * @param {(allocate: (bytes: number) => number, address: number, size: number) => T} use
   * @returns {T}
   */
  #prepared(picture, use) {
    const handle = this.#alive();
    const { data, width, height } = pixelsOf(picture);
    return this.#engine.scoped((allocate) => {
      const size = this.#size();
      const [pixels, prepared] = [data.length, size].map(allocate);
      this.#engine.write(pixels, data);
      this.#engine.call("bnas_model_prepare", handle, pixels, height, width, RGBA, prepared);
      return use(allocate, prepared, size);
    });
  }

  /**
   * @param {(bytes: number) => number} allocate
   * @param {string} run function of the C library
   * @param {number} handle
   * @param {number} input
   * @param {number} count
   */
  #logits(allocate, run, handle, input, count) {
    const numbers = count * this.labels.length;
    const out = allocate(4 * numbers);
    this.#engine.call(run, handle, input, count, THREADS, out);
    return new Float32Array(this.#engine.bytes.slice(out, out + 4 * numbers).buffer);
  }
}

/** @param {Float32Array} floats */
function bytesOf(floats) {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}
