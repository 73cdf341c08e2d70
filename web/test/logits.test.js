// The engine gives Python's bits: for arrays and for pictures of all sizes.
import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "bnas-deploy";

import { answers, bytes, floats, sameBits } from "./answers.js";

for (const [name, answer] of Object.entries(answers)) {
  test(`logits of ${name}`, async () => {
    const model = await load(bytes(`${name}.bnn`));
    assert.equal(model.isa, "wasm_simd128");
    assert.deepEqual(model.inputShape, answer.shape);
    assert.deepEqual(model.labels, answer.labels);
    sameBits(model.run(floats(`${name}.images`)), floats(`${name}.logits`), name);
    model.free();
  });

  if (answer.pictures.length > 0) {
    test(`pictures for ${name}`, async () => {
      const model = await load(bytes(`${name}.bnn`));
      for (const { stem, height, width, top } of answer.pictures) {
        const picture = { data: bytes(`${stem}.rgba`), width, height };
        assert.deepEqual(model.prepare(picture), bytes(`${stem}.pixels`), stem);
        sameBits(model.logits(picture), floats(`${stem}.logits`), stem);
        const guesses = model.classify(picture, { top: top.length });
        assert.deepEqual(
          guesses.map(({ label }) => label),
          top.map(([label]) => label),
        );
        // Only `exp` is the C library's own.
        guesses.forEach(({ probability }, i) =>
          assert.ok(Math.abs(probability - top[i][1]) <= 1e-6 || Number.isNaN(probability)),
        );
      }
      model.free();
    });
  }
}

test("the default is the vectors", async () => {
  const model = await load(bytes("shipped.bnn"));
  assert.equal(model.isa, "wasm_simd128");
  const shipped = floats("shipped.images");
  const one = shipped.length / 2;
  sameBits(model.run(shipped.subarray(one)), floats("shipped.logits").subarray(10), "the second");
  assert.equal(model.run(new Float32Array(0)).length, 0);
});
