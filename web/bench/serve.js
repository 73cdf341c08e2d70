// Serves the benchmark's pages, compressed and cross-origin isolated, over a link of a given speed; counts the bytes.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp", // SharedArrayBuffer, without which engines have one thread
};
const PIECE = 16384; // bytes that a slow link sends at once

/** Files of some folders over HTTP, and results of pages back. */
export class Site {
  /** @param {Record<string, string>} folders by the first part of the path */
  constructor(folders) {
    this.folders = folders;
    /** @type {Map<string, { raw: Buffer, sent: Buffer }>} */
    this.files = new Map();
    /** @type {(path: string, message: any) => any} what to answer to a page */
    this.answer = () => {};
    this.megabits = Infinity; // a second
    this.forget();
    this.server = createServer((request, response) => this.#respond(request, response));
  }

  async start() {
    await new Promise((ready) => this.server.listen(0, "127.0.0.1", () => ready(undefined)));
    const { port } = /** @type {import("node:net").AddressInfo} */ (this.server.address());
    return `http://127.0.0.1:${port}`;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Begin to count anew. */
  forget() {
    this.counted = { raw: 0, sent: 0, files: /** @type {string[]} */ ([]) };
    this.free = 0; // when the link is
  }

  /** @type {import("node:http").RequestListener} */
  async #respond(request, response) {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (request.method === "POST") {
      let body = "";
      for await (const part of request) body += part;
      response.end(JSON.stringify(this.answer(path, JSON.parse(body)) ?? null));
      return;
    }
    const file = this.#file(path);
    if (file === undefined) return void response.writeHead(404, ISOLATED).end();
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    const encoding = { "content-encoding": "gzip", "content-length": file.sent.length };
    response.writeHead(200, { ...ISOLATED, ...encoding, "content-type": type });
    this.counted.raw += file.raw.length;
    this.counted.sent += file.sent.length;
    this.counted.files.push(path);
    await this.#send(file.sent, response);
  }

  /**
   * All responses share the link.
   * @param {Buffer} bytes
   * @param {import("node:http").ServerResponse} response
   */
  async #send(bytes, response) {
    if (this.megabits === Infinity) return void response.end(bytes);
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      const now = performance.now();
      this.free = Math.max(this.free, now) + (8 * piece.length) / (1000 * this.megabits);
      await sleep(this.free - now);
      response.write(piece);
    }
    response.end();
  }

  /** @param {string} path */
  #file(path) {
    if (!this.files.has(path)) {
      const [, root, ...rest] = normalize(path).split("/");
      try {
        const raw = readFileSync(join(this.folders[root], ...rest));
        this.files.set(path, { raw, sent: gzipSync(raw, { level: 9 }) });
      } catch {
        return undefined;
      }
    }
    return this.files.get(path);
  }
}
