// What a user imports, with its types.

/** Kind of an error: the C library's status. */
export type ErrorKind =
  | "argument" // a value is missing, out of range or of another type
  | "file" // it cannot be read
  | "format" // truncated, damaged, of another version, or no .bnn file
  | "backend" // an instruction set or an engine that cannot run here
  | "memory"
  | "system"
  | "internal"; // a bug

/** Every failure; the message is one line: what was expected, what came, and where. */
export class BnasError extends Error {
  readonly name: "BnasError";
  readonly kind: ErrorKind;
}

/** A picture: its pixels, or what a canvas can draw. Images and videos must have loaded. */
export type Picture =
  | ImageData
  | { data: Uint8Array | Uint8ClampedArray; width: number; height: number }
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap
  | HTMLImageElement
  | HTMLVideoElement
  | VideoFrame;

export interface Guess {
  /** Number of the class. */
  readonly index: number;
  readonly label: string;
  /** Softmax of the logits; NaN if they have none. */
  readonly probability: number;
}

export interface LoadOptions {
  /** Called as the file arrives, in bytes; `total` is undefined where the server does not say. */
  onProgress?: (loaded: number, total: number | undefined) => void;
  /** Where the engine lies; by default beside this package, as `dist/bnas.wasm`. */
  engine?: string | URL;
}

/**
 * Read and check a .bnn file, from an address, a File or Blob, a Response, or bytes.
 *
 * Addresses are relative to the page, in Node to the working directory. The engine is loaded at
 * the same time, once for all models.
 *
 * @throws BnasError if the file or the engine cannot be read, or the file is damaged.
 */
export function load(
  source: string | URL | Blob | Response | ArrayBuffer | ArrayBufferView,
  options?: LoadOptions,
): Promise<Model>;

/** A packed network. Its memory is kept until `free`. */
export class Model {
  private constructor();

  /** Channels, height and width. */
  readonly inputShape: readonly [number, number, number];
  readonly labels: readonly string[];
  /** Instruction set in use. */
  readonly isa: string;
  /** Version of the format that the file is written in. */
  readonly formatVersion: string;
  readonly preprocessing: {
    /** Shorter side of a picture before the crop. */
    readonly resize: number;
    /** Height and width. */
    readonly crop: readonly [number, number];
    /** Of each channel, for pixels from 0 to 1. */
    readonly mean: readonly number[];
    readonly std: readonly number[];
  };
  /** Bytes. */
  readonly memory: { readonly weights: number; readonly tables: number; readonly context: number };

  /** The most probable classes of a picture, best first; of equal ones the first. */
  classify(picture: Picture, options?: { top?: number }): Guess[];

  /** Logits of a picture, one a class. */
  logits(picture: Picture): Float32Array;

  /**
   * Logits (count, classes) of images (count, channels, height, width), normalised with the
   * model's mean and std.
   */
  run(images: Float32Array): Float32Array;

  /** The bytes (height, width, channels) that the model sees of a picture. */
  prepare(picture: Picture): Uint8Array;

  /** The most probable classes by one image's logits. */
  rank(logits: Float32Array, top?: number): Guess[];

  /** Give the memory back; the model cannot be used afterwards. */
  free(): void;
}
