// Bytes from wherever they are: addresses, files, responses, memory; with the progress of what comes.
import { BnasError } from "./error.js";

/** @typedef {(loaded: number, total: number | undefined) => void} Progress */

/**
 * @param {string | URL | Blob | Response | ArrayBuffer | ArrayBufferView} source
 * @param {Progress} [progress]
 * @returns {Promise<{ bytes: Uint8Array<ArrayBuffer>, name: string | undefined }>} name: for errors
 */
export async function readBytes(source, progress) {
  if (ArrayBuffer.isView(source)) {
    const { buffer, byteOffset, byteLength } = source;
    return { bytes: new Uint8Array(buffer, byteOffset, byteLength).slice(), name: undefined };
  }
  // By name, as a page's frames have classes of their own.
  const kind = Object.prototype.toString.call(source).slice("[object ".length, -1);
  /** @type {any} */
  const known = source;
  switch (kind) {
    case "String":
    case "URL":
      return fromAddress(known, progress);
    case "File":
    case "Blob":
      return fromBlob(known, progress);
    case "Response":
      return fromResponse(known, known.url || undefined, progress);
    case "ArrayBuffer":
      return { bytes: new Uint8Array(known), name: undefined };
  }
  throw new BnasError("argument", `expected a URL, a File, a Response or bytes, got ${kind}`);
}

/** @type {(blob: Blob, progress?: Progress) => ReturnType<typeof readBytes>} */
async function fromBlob(blob, progress) {
  const name = "name" in blob ? String(blob.name) : undefined;
  try {
    return { bytes: await collect(blob.stream(), blob.size, progress), name };
  } catch (error) {
    throw unreadable(name, error);
  }
}

/** @type {(address: string | URL, progress?: Progress) => ReturnType<typeof readBytes>} */
async function fromAddress(address, progress) {
  const name = String(address);
  let response;
  try {
    const url = new URL(name, await base());
    if (url.protocol === "file:" && inNode()) return { bytes: await fromDisk(url, progress), name };
    response = await fetch(url);
  } catch (error) {
    throw unreadable(name, error);
  }
  return fromResponse(response, name, progress);
}

/** @type {(r: Response, name?: string, progress?: Progress) => ReturnType<typeof readBytes>} */
async function fromResponse(response, name, progress) {
  if (!response.ok) {
    throw unreadable(name, new Error(`HTTP ${response.status} ${response.statusText}`.trim()));
  }
  // The length is that of what is sent, which may be compressed.
  const encoded = response.headers.has("content-encoding");
  const length = encoded ? NaN : Number(response.headers.get("content-length") ?? NaN);
  try {
    const total = Number.isNaN(length) ? undefined : length;
    return { bytes: await collect(response.body, total, progress), name };
  } catch (error) {
    throw unreadable(name, error);
  }
}

/**
 * @param {ReadableStream<Uint8Array> | null} stream
 * @param {number | undefined} total
 * @param {Progress} [progress]
 */
async function collect(stream, total, progress) {
  const chunks = [];
  let loaded = 0;
  const reader = stream?.getReader();
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    chunks.push(next.value);
    loaded += next.value.length;
    progress?.(loaded, total);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** @type {any} */
const node = /** @type {any} */ (globalThis).process;
const inNode = () => node?.versions?.node !== undefined;

/** What addresses are relative to: the page, or in Node the working directory. */
async function base() {
  if (!inNode()) return globalThis.location?.href;
  const url = "node:url"; // out of the sight of bundlers
  const { pathToFileURL } = await import(/* @vite-ignore */ /* webpackIgnore: true */ url);
  return pathToFileURL(node.cwd() + "/").href;
}

/** @type {(url: URL, progress?: Progress) => Promise<Uint8Array<ArrayBuffer>>} */
async function fromDisk(url, progress) {
  const fs = "node:fs/promises";
  const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ fs);
  const bytes = new Uint8Array(await readFile(url));
  progress?.(bytes.length, bytes.length);
  return bytes;
}

/**
 * @param {string | undefined} name
 * @param {unknown} error
 */
function unreadable(name, error) {
  const reason = error instanceof Error ? error.message : String(error);
  const of = name === undefined ? "" : `${name}: `;
  return new BnasError("file", `${of}the file cannot be read (${reason})`, { cause: error });
}
