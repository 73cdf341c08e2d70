// What a user imports.
export { BnasError } from "./error.js";
export { load } from "./load.js";
export { Model } from "./model.js";
