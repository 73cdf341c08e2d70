// The page: pictures from files, drawings and the camera, and networks dropped upon it.
import { load } from "../src/index.js";
import { element, say, showAnswer, showFacts } from "./answer.js";
import { drawings } from "./drawings.js";

const MODEL = "../dist/bnas-mini.bnn";
const MEASURED = 400; // milliseconds, in which the browser also makes better code
const SHOWN = 5;

const canvas = /** @type {HTMLCanvasElement} */ (element("shown"));
const video = /** @type {HTMLVideoElement} */ (element("video"));
const input = /** @type {HTMLInputElement} */ (element("file"));

/** @type {import("../src/index.js").Model | undefined} */
let model;
let modelBytes = 0;

/** @param {string | Blob} source */
async function use(source) {
  let bytes = 0;
  const next = await load(source, {
    onProgress(loaded, total) {
      bytes = loaded;
      if (loaded === total) say("Starting the engine…");
      else say(total ? `Loading: ${Math.round((100 * loaded) / total)} %` : "Loading…");
    },
  });
  model?.free();
  [model, modelBytes] = [next, bytes];
  sayClasses(model);
  if (video.hidden) answer(canvas);
}

/** @param {import("../src/index.js").Model} of */
function sayClasses({ labels }) {
  say(`${labels.length} classes: ${labels.slice(0, 12).join(", ")}`);
}

function engineBytes() {
  const entries = performance.getEntriesByType("resource");
  const engine = entries.find(({ name }) => name.endsWith("/bnas.wasm"));
  return /** @type {PerformanceResourceTiming | undefined} */ (engine)?.encodedBodySize ?? 0;
}

/**
 * Names a picture, and says how long that takes: the median of the later half of many times.
 * @param {HTMLCanvasElement | HTMLVideoElement} picture
 * @param {number} [measured] milliseconds to spend on it
 */
function answer(picture, measured = MEASURED) {
  if (!model) return;
  showAnswer(model.classify(picture, { top: SHOWN }));
  const times = [];
  const end = performance.now() + measured;
  do {
    const start = performance.now();
    model.logits(picture);
    times.push(performance.now() - start);
  } while (performance.now() < end);
  const later = times.slice(times.length >> 1).sort((a, b) => a - b);
  const milliseconds = Math.max(later[later.length >> 1], 0.01); // clocks may be coarse
  showFacts({ milliseconds, modelBytes, engineBytes: engineBytes(), isa: model.isa });
}

/** @param {ImageBitmap} picture */
function show(picture) {
  stopCamera();
  [canvas.width, canvas.height] = [picture.width, picture.height];
  pen().drawImage(picture, 0, 0);
  answer(canvas);
}

const pen = () =>
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));

/** @param {string} name */
function draw(name) {
  stopCamera();
  [canvas.width, canvas.height] = [480, 480];
  drawings[name](pen());
  answer(canvas);
}

/** @param {File | undefined} file */
async function take(file) {
  if (!file) return;
  if (file.name.endsWith(".bnn")) return use(file);
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name}: your browser cannot read it as a picture`);
  }
  show(picture);
}

async function startCamera() {
  video.srcObject = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment" },
  });
  await video.play();
  setCamera(true);
  requestAnimationFrame(watch);
}

function watch() {
  if (video.hidden) return;
  answer(video, 0);
  requestAnimationFrame(watch);
}

function stopCamera() {
  const stream = /** @type {MediaStream | null} */ (video.srcObject);
  for (const track of stream?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  setCamera(false);
}

/** @param {boolean} on */
function setCamera(on) {
  video.hidden = !on;
  canvas.hidden = on;
  element("camera").setAttribute("aria-pressed", String(on));
}

/** Does something that may fail, and says so if it does; an earlier failure is forgotten. @param {() => unknown} body */
async function attempt(body) {
  try {
    await body();
    if (model && element("status").classList.contains("wrong")) sayClasses(model);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), true);
  }
}

for (const name of Object.keys(drawings)) {
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.textContent = `A drawn ${name}`;
  button.addEventListener("click", () => attempt(() => draw(name)));
  element("drawings").append(button);
}
input.addEventListener("change", () => attempt(() => take(input.files?.[0])));
element("camera").addEventListener("click", () =>
  attempt(() => (video.hidden ? startCamera() : (stopCamera(), answer(canvas)))),
);
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", () => document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  attempt(() => take(event.dataTransfer?.files[0]));
});

draw("ship");
attempt(() => use(MODEL));
