// The package and the demo in a real browser without a window: all logits are Python's.
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
  const close = openBrowser(page, /** @type {any} */ (server.address()).port);
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

/** @type {(page: string, port: number) => () => Promise<void>} */
function openBrowser(page, port) {
  const profile = mkdtempSync(join(tmpdir(), "bnas-browser-"));
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"];
  const child = spawn(
    /** @type {string} */ (browser),
    [...flags, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/test/browser/${page}`],
    { detached: true }, // a process group of its own, which ends as a whole
  );
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return async () => {
    process.kill(-(/** @type {number} */ (child.pid)), "SIGKILL");
    await ended;
    remove(profile);
  };
}

/**
 * The browser's helpers may write for a moment after it has ended; what then stays is a folder of temporary files.
 * @param {string} profile
 */
function remove(profile) {
  try {
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  } catch (error) {
    console.warn(`${profile} stays: ${error}`);
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
