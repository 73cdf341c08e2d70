// The same as the page does, in a worker, which has no document.
import { collect } from "./collect.js";

collect(undefined).then(
  (found) => postMessage(found),
  (error) => postMessage({ error: String(error?.stack ?? error) }),
);
