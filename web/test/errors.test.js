// Every failure is a BnasError that says what is wrong, and the engine goes on after it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { BnasError, load } from "bnas-deploy";

import { bytes, floats, folder, sameBits } from "./answers.js";

/**
 * @param {() => unknown} body
 * @param {string} kind
 * @param {RegExp} message
 */
async function fails(body, kind, message) {
  await assert.rejects(async () => body(), (error) => {
    assert.ok(error instanceof BnasError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    assert.ok(!error.message.includes("\n"));
    return true;
  });
}

const shipped = () => bytes("shipped.bnn");

test("damaged files", async () => {
  const whole = shipped();
  await fails(() => load(new Uint8Array(0)), "format", /expected a .bnn file, got 0 bytes/);
  await fails(() => load(whole.subarray(0, whole.length - 1)), "format", /./);
  for (let at = 0; at < whole.length; at += 9973) {
    const damaged = whole.slice();
    damaged[at] ^= 0x10;
    await fails(() => load(damaged), "format", /./);
  }
  const model = await load(whole);
  sameBits(model.run(floats("shipped.images")), floats("shipped.logits"), "after damaged files");
});

test("a damaged file is named", async () => {
  const path = join(folder, "damaged.bnn");
  writeFileSync(path, shipped().subarray(0, 100));
  await fails(() => load(path), "format", /damaged\.bnn: /);
  const file = new File([new Uint8Array(3)], "mine.bnn");
  await fails(() => load(file), "format", /^mine\.bnn: expected a .bnn file, got 3/);
});

test("files that are not there", async () => {
  await fails(() => load(join(folder, "none.bnn")), "file", /none\.bnn: the file cannot be read/);
  await fails(() => load(new Response("", { status: 404 })), "file", /cannot be read \(HTTP 404/);
  await fails(() => load(shipped(), { engine: "none.wasm" }), "file", /^none\.wasm: /);
  await fails(() => load(/** @type {any} */ (7)), "argument", /expected a URL.*got Number/);
});

test("engines that are none", async () => {
  const path = join(folder, "shipped.bnn");
  await fails(() => load(shipped(), { engine: path }), "backend", /needs WebAssembly with SIMD/);
});

test("arguments of models", async () => {
  const model = await load(shipped());
  await fails(() => model.run(new Float32Array(5)), "argument", /3 x 32 x 32 numbers, got 5/);
  await fails(() => model.run(/** @type {any} */ ([1])), "argument", /a Float32Array/);
  const few = { data: new Uint8Array(5), width: 2, height: 2 };
  await fails(() => model.logits(few), "argument", /got 5 for 2 x 2/);
  await fails(() => model.logits(/** @type {any} */ ("cat.png")), "argument", /an image or a vid/);
  const long = { data: new Uint8Array(4 * 3000000), width: 3000000, height: 1 };
  await fails(() => model.logits(long), "argument", /too elongated/);
  await fails(() => model.rank(new Float32Array(3)), "argument", /expected 10 logits/);
  await fails(() => model.rank(new Float32Array(10), -1), "argument", /top must be/);
  model.free();
  model.free();
  await fails(() => model.run(floats("shipped.images")), "argument", /was freed/);
});

test("inputs that are no picture", async () => {
  const model = await load(bytes("two-channels.bnn"));
  const picture = { data: new Uint8Array(4), width: 1, height: 1 };
  await fails(() => model.logits(picture), "argument", /has not the 3 channels of a picture/);
});
