// A browser with its keyboard: Chromium's DevTools protocol over two pipes, as little of it as the tests need.
import { open } from "./chromium.js";

/** @typedef {(method: string, params?: object) => Promise<any>} Send */

/**
 * @param {string} address of a page
 * @param {string[]} [flags] of Chromium
 * @returns {Promise<{ send: Send, evaluate: (code: string) => Promise<any>, press: (key: string) => Promise<void>,
 *   close: () => Promise<void> }>} `evaluate` gives the value that an expression has in the page
 */
export async function visit(address, flags = []) {
  const pipes = { commands: /** @type {any} */ (undefined), messages: /** @type {any} */ (undefined) };
  const close = open(address, ["--remote-debugging-pipe", ...flags], pipes);
  const call = caller(pipes.commands, pipes.messages);
  let page;
  while (page === undefined) {
    const { targetInfos } = await call({ method: "Target.getTargets" });
    page = targetInfos.find(({ type, url }) => type === "page" && url === address);
  }
  const attach = { targetId: page.targetId, flatten: true };
  const { sessionId } = await call({ method: "Target.attachToTarget", params: attach });
  /** @type {Send} */
  const send = (method, params = {}) => call({ method, params, sessionId });
  const evaluate = async (/** @type {string} */ expression) => {
    const what = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await send("Runtime.evaluate", what);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? expression);
    return result.value;
  };
  const press = async (/** @type {string} */ key) => {
    for (const type of ["keyDown", "keyUp"]) {
      await send("Input.dispatchKeyEvent", { type, ...KEYS[key] });
    }
  };
  return { send, evaluate, press, close };
}

const KEYS = {
  Tab: { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 },
  Enter: { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" },
  Space: { key: " ", code: "Space", windowsVirtualKeyCode: 32, text: " " },
};

/**
 * Commands out, answers in; each ends with a zero.
 * @param {import("node:stream").Writable} commands
 * @param {import("node:stream").Readable} messages
 */
function caller(commands, messages) {
  /** @type {Map<number, { done: (value: any) => void, failed: (error: Error) => void }>} */
  const waiting = new Map();
  let rest = "";
  messages.setEncoding("utf8");
  messages.on("data", (part) => {
    const whole = (rest + part).split("\0");
    rest = whole.pop() ?? "";
    for (const { id, result, error } of whole.map((text) => JSON.parse(text))) {
      if (error) waiting.get(id)?.failed(new Error(error.message));
      else waiting.get(id)?.done(result);
      waiting.delete(id);
    }
  });
  let last = 0;
  return (/** @type {object} */ command) =>
    new Promise((done, failed) => {
      waiting.set(++last, { done, failed });
      commands.write(`${JSON.stringify({ id: last, ...command })}\0`);
    });
}
