// Serves the package, the answers and the tests' pages to a browser.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { answers, bytes, folder } from "./answers.js";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** Of noise, as a file that a page can fetch. */
export const picture = answers.shipped.pictures.find(({ stem }) => stem.endsWith(".large"));

/** @param {string} path of a request */
function content(path) {
  if (path === "/dist/bnas-mini.bnn") return bytes("shipped.bnn");
  if (path === "/picture.json") return JSON.stringify(picture);
  const [root, rest] = path.startsWith("/answers/") ? [folder, path.slice(9)] : [PACKAGE, path];
  const file = join(root, normalize(rest));
  return existsSync(file) ? readFileSync(file) : undefined;
}

/**
 * @param {(message: any) => void} done is given what a page sends
 * @returns {Promise<{ address: string, stop: () => void }>}
 */
export async function serve(done) {
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
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { address: `http://127.0.0.1:${port}`, stop };
}
