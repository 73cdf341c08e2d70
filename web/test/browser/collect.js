// Logits of everything that a page can show; the picture's pixels are those of the file of answers.
import { BnasError, load } from "/src/index.js";

const bits = (/** @type {Float32Array} */ logits) => Array.from(new Uint32Array(logits.buffer));

/** @param {Document | undefined} document of the page; none in a worker */
export async function collect(document) {
  const { stem, width, height } = await (await fetch("/picture.json")).json();
  const rgba = new Uint8ClampedArray(await (await fetch(`/answers/${stem}.rgba`)).arrayBuffer());
  let loaded = 0;
  const model = await load("/answers/shipped.bnn", { onProgress: (now) => (loaded = now) });
  const images = new Float32Array(await (await fetch("/answers/shipped.images")).arrayBuffer());
  const pictures = await kinds(new ImageData(rgba, width, height), document);
  return {
    isa: model.isa,
    loaded,
    images: bits(model.run(images)),
    pictures: Object.fromEntries(
      Object.entries(pictures).map(([kind, picture]) => [kind, bits(model.logits(picture))]),
    ),
    damaged: await refused(load(new File([new Uint8Array(9)], "damaged.bnn"))),
  };
}

/** The picture in every form. */
async function kinds(image, document) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  const forms = { data: image, bitmap: await createImageBitmap(image), offscreen: canvas };
  if (typeof VideoFrame !== "undefined") forms.frame = new VideoFrame(canvas, { timestamp: 0 });
  if (document === undefined) return forms;
  const shown = document.createElement("img");
  shown.src = URL.createObjectURL(await canvas.convertToBlob());
  shown.width = 10; // of its place in the page
  await shown.decode();
  const onPage = document.createElement("canvas");
  [onPage.width, onPage.height] = [image.width, image.height];
  onPage.getContext("2d").putImageData(image, 0, 0);
  return { ...forms, image: shown, canvas: onPage };
}

async function refused(loading) {
  try {
    await loading;
    return "accepted";
  } catch (error) {
    return error instanceof BnasError ? error.message : `not a BnasError: ${error}`;
  }
}
