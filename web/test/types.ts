// Uses of the package that must have the types they have; compiled, never run.
import { BnasError, type Guess, load, Model } from "bnas-deploy";

declare const image: HTMLImageElement;
declare const file: File;

const model: Model = await load("model.bnn", {
  onProgress: (loaded, total) => console.log(loaded / (total ?? loaded)),
});
const guesses: Guess[] = model.classify(image, { top: 3 });
const best: string = guesses[0].label;
const [channels]: readonly number[] = model.inputShape;
const logits: Float32Array = model.run(new Float32Array(channels));
model.rank(logits);

try {
  (await load(file)).free();
} catch (error) {
  if (error instanceof BnasError && error.kind === "format") console.log(error.message, best);
}

// @ts-expect-error: models come from load
new Model();
// @ts-expect-error: logits are floats of 32 bits
model.run([1, 2, 3]);
