// The package in a real browser without a window: the page's and the worker's logits are Python's.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { answers, bytes, folder } from "./answers.js";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const NAMES = [process.env.CHROMIUM ?? "chromium", "chromium-browser", "google-chrome"];
const browser = NAMES.find((name) => spawnSync(name, ["--version"]).status === 0);
const skip = browser === undefined && `there is no ${NAMES[0]} (Debian: chromium)`;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const SECONDS = 120;

const picture = answers.shipped.pictures.find(({ stem }) => stem.endsWith(".large"));

/** @param {string} path of a request */
function content(path) {
  if (path === "/picture.json") return JSON.stringify(picture);
  const [root, rest] = path.startsWith("/answers/") ? [folder, path.slice(9)] : [PACKAGE, path];
  const file = join(root, normalize(rest));
  return existsSync(file) ? readFileSync(file) : undefined;
}

/**
 * Serves the package and the answers until the page has sent its result.
 * @param {(port: number) => () => void} open a browser; returns how it is closed
 */
async function resultOf(open) {
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
  const close = open(/** @type {any} */ (server.address()).port);
  const limit = setTimeout(() => done({ error: "the browser gave no answer" }), SECONDS * 1000);
  try {
    return await result;
  } finally {
    clearTimeout(limit);
    close();
    server.closeAllConnections();
    server.close();
  }
}

/** @param {number} port */
function openBrowser(port) {
  const profile = mkdtempSync(join(tmpdir(), "bnas-browser-"));
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"];
  const child = spawn(/** @type {string} */ (browser), [
    ...flags,
    `--user-data-dir=${profile}`,
    `http://127.0.0.1:${port}/test/browser/page.html`,
  ]);
  return () => {
    child.once("exit", () => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
    child.kill();
  };
}

const bits = (/** @type {string} */ name) => Array.from(new Uint32Array(bytes(name).buffer));

test("a page and a worker give Python's logits", { skip }, async () => {
  const result = await resultOf(openBrowser);
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
