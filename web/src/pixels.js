// Pixels of whatever a page can show, as ImageData: red, green, blue and alpha.
import { BnasError } from "./error.js";

/** @typedef {{ data: Uint8Array | Uint8ClampedArray, width: number, height: number }} Pixels */

/** @type {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | undefined} */
let surface;

/**
 * @param {any} picture ImageData, or what a canvas can draw
 * @returns {Pixels}
 */
export function pixelsOf(picture) {
  if (picture?.data !== undefined) return checked(picture);
  const [width, height] = sizeOf(picture);
  if (!(width > 0 && height > 0)) {
    throw new BnasError("argument", "the picture has no pixels; it may not be loaded yet");
  }
  const context = drawingSurface(width, height);
  context.drawImage(picture, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** @param {Pixels} pixels */
function checked({ data, width, height }) {
  const bytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  const sizes = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!bytes || !sizes || data.length !== 4 * width * height) {
    throw new BnasError(
      "argument",
      "ImageData must have bytes of red, green, blue and alpha for width x height pixels;" +
        ` got ${data?.length} for ${width} x ${height}`,
    );
  }
  return { data, width, height };
}

/** Of the picture itself, not of its place in the page.
 * @param {any} picture
 * @returns {[number, number]}
 */
function sizeOf(picture) {
  for (const side of ["natural", "video", "display"]) {
    if (typeof picture?.[`${side}Width`] === "number") {
      return [picture[`${side}Width`], picture[`${side}Height`]];
    }
  }
  if (typeof picture?.width === "number") return [picture.width, picture.height];
  throw new BnasError(
    "argument",
    "expected ImageData, a canvas, an ImageBitmap, an image or a video, got " +
      Object.prototype.toString.call(picture),
  );
}

/**
 * An empty canvas, the same one as long as the size stays.
 * @param {number} width
 * @param {number} height
 */
function drawingSurface(width, height) {
  if (surface?.canvas.width === width && surface.canvas.height === height) {
    surface.clearRect(0, 0, width, height);
    return surface;
  }
  const canvas =
    typeof OffscreenCanvas === "undefined"
      ? Object.assign(document.createElement("canvas"), { width, height })
      : new OffscreenCanvas(width, height);
  const context = /** @type {typeof surface | null} */ (
    canvas.getContext("2d", { willReadFrequently: true })
  );
  if (!context) throw new BnasError("system", "the browser gives no canvas to read pixels from");
  surface = context;
  return context;
}
