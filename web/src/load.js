// From a .bnn file, wherever it is, to a model.
import { readBytes } from "./bytes.js";
import { engineFrom } from "./engine.js";
import { BnasError } from "./error.js";
import { Model } from "./model.js";

/**
 * Documented in index.d.ts.
 * @param {Parameters<typeof readBytes>[0]} source
 * @param {{ onProgress?: import("./bytes.js").Progress, engine?: string | URL }} [options]
 */
export async function load(source, options = {}) {
  const [engine, { bytes, name }] = await Promise.all([
    engineFrom(options.engine),
    readBytes(source, options.onProgress),
  ]);
  try {
    return Model.fromBytes(engine, bytes);
  } catch (error) {
    if (!(error instanceof BnasError) || error.kind !== "format" || name === undefined) throw error;
    throw new BnasError("format", `${name}: ${error.message}`, { cause: error });
  }
}
