// Whether answers are right: ours to the bit, those of others within what bnas_deploy/rivals/files.py allows.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @param {string} folder of make_models.py
 * @param {{ most_difference: number, least_correlation: number }} limits
 * @param {string} network
 * @param {string} file that was run
 * @param {number[][]} answers to the first images
 * @returns {string} what is wrong with them, or nothing
 */
export function fault(folder, limits, network, file, answers) {
  const got = answers.flat();
  const [kind, suffix] = file.split(".");
  const own = suffix === "bnn";
  const bytes = readFileSync(join(folder, network, `${own ? kind : "float32"}.logits`));
  const right = Array.from(new Float32Array(new Uint8Array(bytes).buffer)).slice(0, got.length);
  if (got.length === 0 || got.length !== right.length) return `${got.length} numbers in its answers`;
  if (own) return got.every((x, i) => Object.is(x, right[i])) ? "" : "its bits are not Python's";
  if (kind === "int8") return answers.length > 1 ? correlated(got, right, limits) : "";
  const off = largest(got.map((x, i) => x - right[i])) / largest(right);
  return off <= limits.most_difference ? "" : `its answers are ${off} of the largest logit off`;
}

const largest = (/** @type {number[]} */ numbers) => Math.max(...numbers.map(Math.abs));

/** @type {(a: number[], b: number[], limits: { least_correlation: number }) => string} */
function correlated(a, b, { least_correlation }) {
  const mean = (/** @type {number[]} */ x) => x.reduce((sum, one) => sum + one) / x.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = (/** @type {number[]} */ x, /** @type {number} */ m, /** @type {number[]} */ y, /** @type {number} */ n) =>
    x.reduce((sum, one, i) => sum + (one - m) * (y[i] - n), 0);
  const found =
    product(a, meanA, b, meanB) /
    Math.sqrt(product(a, meanA, a, meanA) * product(b, meanB, b, meanB));
  return found >= least_correlation ? "" : `its answers correlate by ${found} only`;
}
