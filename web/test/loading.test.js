// Models come from addresses, files, responses and bytes, and say how far they are.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join, relative } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

import { load } from "bnas-deploy";

import { bytes, floats, folder, sameBits } from "./answers.js";

const whole = bytes("shipped.bnn");
const path = join(folder, "shipped.bnn");

/** @type {[string, () => Parameters<typeof load>[0]][]} */
const sources = [
  ["bytes", () => whole],
  ["a part of other bytes", () => new Uint8Array([1, ...whole, 2]).subarray(1, whole.length + 1)],
  ["a buffer", () => whole.slice().buffer],
  ["a Blob", () => new Blob([whole])],
  ["a File", () => new File([whole], "shipped.bnn")],
  ["a Response", () => new Response(whole)],
  ["a path", () => relative(process.cwd(), path)],
  ["a URL", () => pathToFileURL(path)],
];

for (const [name, source] of sources) {
  test(`from ${name}`, async () => {
    const model = await load(source());
    sameBits(model.run(floats("shipped.images")), floats("shipped.logits"), name);
    model.free();
  });
}

test("from a server, with progress", async () => {
  const server = createServer((request, response) => {
    if (request.url !== "/shipped.bnn") return response.writeHead(404).end();
    response.writeHead(200, { "content-length": whole.length });
    response.write(whole.subarray(0, 1000), () =>
      setTimeout(() => response.end(whole.subarray(1000)), 20),
    );
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  try {
    /** @type {[number, number | undefined][]} */
    const steps = [];
    const onProgress = (/** @type {[number, number | undefined]} */ ...step) => steps.push(step);
    await load(`http://127.0.0.1:${port}/shipped.bnn`, { onProgress });
    assert.ok(steps.length >= 2);
    assert.deepEqual(steps.at(-1), [whole.length, whole.length]);
    assert.ok(steps.every(([loaded], i) => i === 0 || loaded > steps[i - 1][0]));
    await assert.rejects(load(`http://127.0.0.1:${port}/none`), /none: .*HTTP 404 Not Found/);
  } finally {
    server.close();
  }
});

test("in a worker", async () => {
  const url = import.meta.resolve("bnas-deploy");
  const code = `
    const { parentPort } = require("node:worker_threads");
    import(${JSON.stringify(url)})
      .then(({ load }) => load(${JSON.stringify(path)}))
      .then((model) => parentPort.postMessage(model.labels));`;
  const labels = await new Promise((done, failed) => {
    new Worker(code, { eval: true }).once("message", done).once("error", failed);
  });
  assert.deepEqual(labels, (await load(whole)).labels);
});

test("what a model says of itself", async () => {
  const model = await load(whole);
  assert.equal(model.preprocessing.resize, 32);
  assert.deepEqual(model.preprocessing.crop, [32, 32]);
  assert.equal(model.preprocessing.std.length, 3);
  assert.match(model.formatVersion, /^1\./);
  assert.ok(model.memory.weights > 100000);
});
