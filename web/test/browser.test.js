// The package and the demo in a real browser without a window: all logits are Python's.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { answers, bytes, folder } from "./answers.js";
import { missing as skip, open } from "./chromium.js";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const SECONDS = 120;

const picture = answers.shipped.pictures.find(({ stem }) => stem.endsWith(".large"));

/** @param {string} path of a request */
function content(path) {
  if (path === "/dist/bnas-mini.bnn") return bytes("shipped.bnn");
  if (path === "/picture.json") return JSON.stringify(picture);
  const [root, rest] = path.startsWith("/answers/") ? [folder, path.slice(9)] : [PACKAGE, path];
  const file = join(root, normalize(rest));
  return existsSync(file) ? readFileSync(file) : undefined;
}

/**
 * Serves the package and the answers until a page of test/browser/ has sent its result.
 * @param {string} page
 */
async function resultOf(page) {
  /** @type {(result: any) => void} */
  let done;
  const result = new Promise((resolve) => (done = resolve));
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      let body = "";
      request.on("data", (part) => (body += part));
      request.on("end", () => response.end(done(JSON.parse(body))));
      return;
    }
    const found = content(request.url ?? "");
    response.writeHead(found === undefined ? 404 : 200, {
      "content-type": TYPES[extname(request.url ?? "")] ?? "application/octet-stream",
    });
    response.end(found);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = open(`http://127.0.0.1:${port}/test/browser/${page}`);
  const limit = setTimeout(() => done({ error: "the browser gave no answer" }), SECONDS * 1000);
  try {
    return await result;
  } finally {
    clearTimeout(limit);
    await close();
    server.closeAllConnections();
    server.close();
  }
}

const bits = (/** @type {string} */ name) => Array.from(new Uint32Array(bytes(name).buffer));

test("a page and a worker give Python's logits", { skip }, async () => {
  const result = await resultOf("page.html");
  assert.equal(result.error, undefined);
  for (const [place, found] of Object.entries({ page: result.page, worker: result.worker })) {
    assert.equal(found.isa, "wasm_simd128", place);
    assert.equal(found.loaded, bytes("shipped.bnn").length, place);
    assert.deepEqual(found.images, bits("shipped.logits"), place);
    for (const [kind, logits] of Object.entries(found.pictures)) {
      assert.deepEqual(logits, bits(`${picture.stem}.logits`), `${kind} in a ${place}`);
    }
    assert.match(found.damaged, /^damaged\.bnn: header: it is not valid JSON/, place);
  }
  const seen = Object.keys(result.page.pictures);
  assert.deepEqual(seen, ["data", "bitmap", "offscreen", "frame", "image", "canvas"]);
});

test("the demo", { skip }, async () => {
  const found = await resultOf("demo.html");
  assert.equal(found.error, undefined);
  assert.equal(found.first.length, 5);
  assert.equal(found.facts.at(-1), "wasm_simd128");
  assert.match(found.facts[0], /^[\d.]+ ms$/);
  assert.deepEqual(found.drawings, {
    "A drawn ship": "ship",
    "A drawn airplane": "airplane",
    "A drawn truck": "truck",
  });
  const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
  const want = picture.top.map(([label, share]) => [label, percent.format(share)]);
  assert.deepEqual(found.picture.slice(0, want.length), want);
  assert.match(found.damaged, /^damaged\.bnn: header: it is not valid JSON/);
  assert.equal(found.afterError, "ship");
  assert.equal(found.other, 3);
  assert.deepEqual(found.elsewhere, []);
});
