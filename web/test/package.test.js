// What `npm pack` would publish: all that the package promises, and nothing else.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const text = (/** @type {string} */ name) => readFileSync(join(PACKAGE, name), "utf8");
const description = JSON.parse(text("package.json"));

const found = spawnSync("npm", ["pack", "--dry-run", "--json"], { cwd: PACKAGE, encoding: "utf8" });
const skip = found.status !== 0 && "there is no npm";
const packed = skip ? [] : JSON.parse(found.stdout)[0].files.map(({ path }) => path).sort();

test("the files of the package", { skip }, () => {
  const sources = readdirSync(join(PACKAGE, "src")).map((name) => `src/${name}`);
  const others = ["LICENSE", "README.md", "dist/bnas.wasm", "package.json"];
  assert.deepEqual(packed, [...sources, ...others].sort());
});

test("everything that is named is there", { skip }, () => {
  const exported = JSON.stringify([description.exports, description.types]).match(/\.\/[\w./]+/g);
  const named = (exported ?? []).filter((path) => !(path in description.exports));
  for (const source of packed.filter((/** @type {string} */ path) => path.endsWith(".js"))) {
    for (const [, path] of text(source).matchAll(/(?:from|new URL\() ?"(\.[^"]+)"/g)) {
      named.push(join("src", path));
    }
  }
  for (const [, path] of text("README.md").matchAll(/\]\((?!\.\.|[a-z]+:|demo\/)([^)#]+)/g)) {
    named.push(path);
  }
  assert.ok(named.length > 10);
  for (const path of named) assert.ok(packed.includes(normalize(path)), path);
});

test("the types have what the module has", async () => {
  const module = await import("bnas-deploy");
  const types = text("src/index.d.ts");
  const values = [...types.matchAll(/^export (?:class|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(module).sort(), values.sort());
  const methods = types.slice(types.indexOf("class Model")).matchAll(/^ {2}(\w+)\(/gm);
  const promised = [...methods].map(([, name]) => name).filter((name) => name !== "constructor");
  const public_ = Object.getOwnPropertyNames(module.Model.prototype);
  assert.deepEqual(public_.filter((name) => name !== "constructor").sort(), promised.sort());
});
