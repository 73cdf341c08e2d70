// Everything that a page shows becomes pixels by way of a canvas; here of one that a test has made.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { load } from "bnas-deploy";

import { bytes, sameBits } from "./answers.js";

/** @type {{ size: number[], drawn: unknown[][], cleared: number }[]} */
let canvases = [];

/** A canvas whose pixels are the bytes of the last thing drawn. */
class Canvas {
  constructor(/** @type {number} */ width, /** @type {number} */ height) {
    this.width = width;
    this.height = height;
    this.seen = { size: [width, height], drawn: /** @type {unknown[][]} */ ([]), cleared: 0 };
    canvases.push(this.seen);
  }

  getContext() {
    return {
      canvas: this,
      clearRect: () => ++this.seen.cleared,
      drawImage: (/** @type {unknown[]} */ ...drawn) => this.seen.drawn.push(drawn),
      getImageData: (/** @type {number[]} */ ...[, , width, height]) => ({
        data: this.seen.drawn.at(-1)[0].pixels,
        width,
        height,
      }),
    };
  }
}

beforeEach(() => {
  canvases = [];
  globalThis.OffscreenCanvas = /** @type {any} */ (Canvas);
});
afterEach(() => Reflect.deleteProperty(globalThis, "OffscreenCanvas"));

const [width, height] = [5, 7];
const pixels = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => (37 * i) % 256);

const pictures = {
  "an image": { naturalWidth: width, naturalHeight: height, width: 100, height: 100, pixels },
  "a video": { videoWidth: width, videoHeight: height, width: 100, height: 100, pixels },
  "a video frame": { displayWidth: width, displayHeight: height, pixels },
  "a canvas or bitmap": { width, height, pixels },
};

for (const [name, picture] of Object.entries(pictures)) {
  test(`the pixels of ${name} are those of its own size`, async () => {
    const model = await load(bytes("shipped.bnn"));
    const want = model.logits({ data: pixels, width, height });
    sameBits(model.logits(/** @type {any} */ (picture)), want, name);
    sameBits(model.logits(/** @type {any} */ (picture)), want, name);
    for (const { size, drawn } of canvases) {
      assert.deepEqual(size, [width, height]);
      assert.deepEqual(drawn[0], [picture, 0, 0, width, height]);
    }
  });
}

test("the canvas is kept for pictures of one size, and emptied", async () => {
  const model = await load(bytes("shipped.bnn"));
  for (const size of [3, 3, 3, 4]) {
    model.logits(/** @type {any} */ ({ width: size, height: 1, pixels: pixels.slice(0, 4 * size) }));
  }
  assert.deepEqual(
    canvases.map(({ size, cleared }) => [...size, cleared]),
    [[3, 1, 2], [4, 1, 0]],
  );
});

test("an image that has not loaded", async () => {
  const model = await load(bytes("shipped.bnn"));
  const image = { naturalWidth: 0, naturalHeight: 0, width: 100, height: 100 };
  assert.throws(() => model.classify(/** @type {any} */ (image)), /may not be loaded yet/);
});
