// What Python says, in a folder that make_models.py has filled; and numbers compared by their bits.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Folder of the models, inputs and answers. */
export const folder = process.env.BNAS_WEB_ANSWERS ?? "";
assert.ok(folder, "BNAS_WEB_ANSWERS must name a folder filled by make_models.py; see web/check.sh");
export const answers = JSON.parse(readFileSync(join(folder, "answers.json"), "utf8"));

/** @param {string} name */
export function bytes(name) {
  return new Uint8Array(readFileSync(join(folder, name)));
}

/** @param {string} name */
export function floats(name) {
  return new Float32Array(bytes(name).buffer);
}

/**
 * Equal to the bit, NaN to NaN of any sign and payload (docs/format.md).
 * @param {Float32Array} got
 * @param {Float32Array} want
 * @param {string} of
 */
export function sameBits(got, want, of) {
  assert.equal(got.length, want.length, of);
  for (let i = 0; i < got.length; ++i) {
    assert.ok(Object.is(got[i], want[i]), `${of}, number ${i}: expected ${want[i]}, got ${got[i]}`);
  }
}
