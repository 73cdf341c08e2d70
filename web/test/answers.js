// What Python says, made once a run by make_models.py, and how numbers are compared: by their bits.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Folder of the models, inputs and answers. */
export const folder = process.env.BNAS_WEB_ANSWERS ?? made();
export const answers = JSON.parse(readFileSync(join(folder, "answers.json"), "utf8"));

function made() {
  const into = mkdtempSync(join(tmpdir(), "bnas-web-"));
  process.on("exit", () => rmSync(into, { recursive: true }));
  const beside = join(ROOT, process.env.VENV ?? ".venv", "bin/python");
  const python = process.env.PYTHON ?? (existsSync(beside) ? beside : "python3");
  const PYTHONPATH = [join(ROOT, "tests"), process.env.PYTHONPATH ?? ""].join(delimiter);
  const script = join(ROOT, "web/test/make_models.py");
  const done = spawnSync(python, [script, into], {
    env: { ...process.env, PYTHONPATH },
    encoding: "utf8",
  });
  assert.equal(done.status, 0, done.stderr ?? String(done.error));
  return into;
}

/** @param {string} name */
export function bytes(name) {
  return new Uint8Array(readFileSync(join(folder, name)));
}

/** @param {string} name */
export function floats(name) {
  return new Float32Array(bytes(name).buffer);
}

/**
 * Equal to the bit, NaN to NaN of any sign and payload (docs/format.md).
 * @param {Float32Array} got
 * @param {Float32Array} want
 * @param {string} of
 */
export function sameBits(got, want, of) {
  assert.equal(got.length, want.length, of);
  for (let i = 0; i < got.length; ++i) {
    assert.ok(Object.is(got[i], want[i]), `${of}, number ${i}: expected ${want[i]}, got ${got[i]}`);
  }
}
