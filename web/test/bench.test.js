// The benchmark takes no time of an engine whose answers are wrong, and counts what a page loads.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";

import { fault } from "../bench/check.js";
import { Site } from "../bench/serve.js";

const folder = mkdtempSync(join(tmpdir(), "bnas-bench-"));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "net"));
const right = Float32Array.from([1, -2, 0.5, 3, -1, 0.25]);
for (const name of ["packed", "float32"]) {
  writeFileSync(join(folder, "net", `${name}.logits`), new Uint8Array(right.buffer));
}
const limits = { most_difference: 1e-4, least_correlation: 0.8 };
const check = (/** @type {string} */ file, /** @type {(x: number, i: number) => number} */ change) => {
  const got = Array.from(right, change);
  return fault(folder, limits, "net", file, [got.slice(0, 3), got.slice(3)]);
};

test("answers are checked by each engine's own measure", () => {
  const little = (/** @type {number} */ x) => x * (1 + 1e-5);
  const much = (/** @type {number} */ x) => x * 1.1;
  assert.equal(check("packed.bnn", (x) => x), "");
  assert.match(check("packed.bnn", little), /not Python's/);
  assert.equal(check("float32.onnx", little), "");
  assert.match(check("float32.onnx", much), /off/);
  assert.equal(check("tfjs.json", little), "");
  assert.match(check("tfjs.json", much), /off/);
  assert.equal(check("int8.onnx", much), "");
  assert.match(check("int8.onnx", (_, i) => i), /correlate/);
  assert.match(check("float32.onnx", () => NaN), /off/);
  assert.match(fault(folder, limits, "net", "packed.bnn", []), /0 numbers/);
});

test("bytes are counted as they are sent, over a link of any speed", async () => {
  const file = Buffer.alloc(50000, "bytes ");
  writeFileSync(join(folder, "page.html"), file);
  const site = new Site({ files: folder });
  const address = await site.start();
  try {
    for (const megabits of [Infinity, 100]) {
      site.forget();
      site.megabits = megabits;
      const response = await fetch(`${address}/files/page.html`);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), file);
      assert.equal(response.headers.get("cross-origin-embedder-policy"), "require-corp");
      const sent = gzipSync(file, { level: 9 });
      assert.deepEqual(gunzipSync(sent), file);
      assert.deepEqual(site.counted, { raw: 50000, sent: sent.length, files: ["/files/page.html"] });
    }
    assert.equal((await fetch(`${address}/files/none`)).status, 404);
    assert.equal((await fetch(`${address}/other/page.html`)).status, 404);
  } finally {
    site.stop();
  }
});
