// Shows what the network says: five labels with bars, and the facts below.

const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const tens = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** @param {string} id */
export const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {{ label: string, probability: number }[]} guesses */
export function showAnswer(guesses) {
  const rows = guesses.map(({ label, probability }) => {
    const row = document.createElement("li");
    row.style.setProperty("--share", percent.format(probability));
    for (const text of [label, percent.format(probability)]) {
      row.append(Object.assign(document.createElement("span"), { textContent: text }));
    }
    return row;
  });
  element("answer").replaceChildren(...rows);
}

/**
 * @param {{ milliseconds: number, modelBytes: number, engineBytes: number, isa: string }} facts
 */
export function showFacts({ milliseconds, modelBytes, engineBytes, isa }) {
  const rows = {
    "a picture takes": `${tens.format(milliseconds)} ms`,
    "pictures a second": tens.format(1000 / milliseconds),
    network: `${tens.format(modelBytes / 1e6)} MB`,
    engine: engineBytes > 0 ? `${tens.format(engineBytes / 1e6)} MB` : "from the cache",
    kernels: isa,
  };
  const terms = Object.entries(rows).flatMap(([name, value]) => [
    Object.assign(document.createElement("dt"), { textContent: name }),
    Object.assign(document.createElement("dd"), { textContent: value }),
  ]);
  element("facts").replaceChildren(...terms);
}

/**
 * @param {string} text
 * @param {boolean} [wrong]
 */
export function say(text, wrong = false) {
  element("status").textContent = text;
  element("status").classList.toggle("wrong", wrong);
}
