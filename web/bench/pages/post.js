// Messages to the script that has opened the browser.

/**
 * @param {string} path
 * @param {unknown} message
 */
export async function post(path, message) {
  return (await fetch(path, { method: "POST", body: JSON.stringify(message) })).json();
}

/** Does the page's work; a failure ends the run. @param {() => Promise<unknown>} body */
export async function work(body) {
  try {
    await body();
  } catch (error) {
    await post("/failed", String(/** @type {any} */ (error)?.stack ?? error));
  }
}
