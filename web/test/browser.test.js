// The package and the demo in a real browser without a window: all logits are Python's.
import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes } from "./answers.js";
import { missing as skip, open } from "./chromium.js";
import { visit } from "./devtools.js";
import { picture, serve } from "./server.js";

const SECONDS = 120;
const CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/**
 * What a page of test/browser/ sends.
 * @param {string} page
 * @param {string[]} [flags] of the browser
 */
async function resultOf(page, flags) {
  /** @type {(result: any) => void} */
  let done = () => {};
  const result = new Promise((resolve) => (done = resolve));
  const { address, stop } = await serve((message) => done(message));
  const close = open(`${address}/test/browser/${page}`, flags);
  const limit = setTimeout(() => done({ error: "the browser gave no answer" }), SECONDS * 1000);
  try {
    return await result;
  } finally {
    clearTimeout(limit);
    await close();
    stop();
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
  const found = await resultOf("demo.html", CAMERA);
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
  const { stem } = picture;
  assert.deepEqual(found.picture.slice(0, want.length), want);
  assert.deepEqual(found.logits, bits(`${stem}.logits`));
  assert.match(found.damaged, /^damaged\.bnn: header: it is not valid JSON/);
  assert.equal(found.afterError[0], "ship");
  assert.match(found.afterError[1], /^10 classes: airplane, /);
  assert.equal(found.other, 3);
  assert.deepEqual(found.dropped, { over: true, left: false, after: false, answer: found.picture });
  assert.deepEqual(found.text, found.dropped.answer);
  assert.deepEqual(found.camera, { of: "VIDEO", guesses: 5, pressed: "true", hidden: false });
  assert.deepEqual(found.stopped, { pressed: "false", hidden: true, tracks: ["ended"], answer: found.picture });
  assert.match(found.refused, /Permission denied/);
  assert.deepEqual(found.elsewhere, []);
});

test("the demo by keyboard", { skip }, async () => {
  const { address, stop } = await serve(() => {});
  const { evaluate, press, close } = await visit(`${address}/demo/index.html`, CAMERA);
  const until = async (/** @type {string} */ there) => {
    const end = Date.now() + SECONDS * 1000;
    while (!(await evaluate(there))) assert.ok(Date.now() < end, `not in time: ${there}`);
  };
  const FOCUS = `(() => {
    const { activeElement: at } = document;
    const shown = getComputedStyle(at.type === "file" ? at.parentElement : at);
    return [(at.labels?.[0] ?? at).textContent.trim(), shown.outlineStyle];
  })()`;
  const FIRST = `document.querySelector("#answer li span")?.textContent`;
  try {
    await until(`document.querySelectorAll("#answer li").length === 5`);
    const seen = [];
    for (let i = 0; i < 5; ++i) {
      await press("Tab");
      seen.push(await evaluate(FOCUS));
    }
    const names = ["Choose a file", "Camera", "A drawn ship", "A drawn airplane", "A drawn truck"];
    assert.deepEqual(seen, names.map((name) => [name, "solid"]));
    await press("Enter");
    assert.equal(await evaluate(FIRST), "truck");
    await evaluate(`document.querySelector("#drawings button").focus()`);
    await press("Space");
    assert.equal(await evaluate(FIRST), "ship");
    await evaluate(`document.getElementById("camera").focus()`);
    await press("Space");
    await until(`!document.getElementById("video").hidden`);
    await press("Enter");
    await until(`document.getElementById("video").hidden`);
    assert.equal(await evaluate(FIRST), "ship");
  } finally {
    await close();
    stop();
  }
});
