// Measures the package against other engines in Chromium: node run.js MODELS RESULT.json [--quick]
import { cpus } from "node:os";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { missing, open } from "../test/chromium.js";
import { fault } from "./check.js";
import { CONTESTANTS, LINKS, coldVisits, warmPlan } from "./plan.js";
import { Site } from "./serve.js";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const rounded = (/** @type {number} */ milliseconds) => Number(milliseconds.toFixed(3));
const LIMIT = 600; // seconds for a browser

const [models, result] = process.argv.slice(2).map((path) => resolve(path));
const quick = process.argv.includes("--quick");
const manifest = JSON.parse(readFileSync(`${models}/manifest.json`, "utf8"));
const site = new Site({ src: `${WEB}src`, dist: `${WEB}dist`, bench: `${WEB}bench`, models });

/**
 * Opens a browser, answers its pages, and ends it.
 * @param {string} page
 * @param {string} last path to which the page sends what it has found
 * @param {Record<string, (message: any) => any>} answers by path
 * @returns {Promise<any>}
 */
async function visit(page, last, answers) {
  let limit;
  const found = new Promise((done, failed) => {
    limit = setTimeout(() => failed(new Error(`${page}: no answer in ${LIMIT} s`)), LIMIT * 1000);
    site.answer = (path, message) => {
      if (path === "/failed") return failed(new Error(message));
      if (path === last) return done(message);
      return answers[path](message);
    };
  });
  const close = open(`${address}/bench/pages/${page}`);
  try {
    return await found;
  } finally {
    clearTimeout(limit);
    await close();
  }
}

async function warm() {
  const plan = warmPlan(manifest, quick);
  const [times, about] = [/** @type {any} */ ({}), /** @type {any} */ ({})];
  const browser = await visit("warm.html", "/done", {
    "/plan": () => plan,
    "/answers"({ network, name, about: said, answers }) {
      about[name] = said;
      const file = plan[network].contestants[name].file.split("/").at(-1);
      return fault(models, manifest, network, file, answers);
    },
    "/times"(found) {
      times[found.network] = Object.fromEntries(
        Object.entries(found.times).map(([name, all]) => [name, all.map(rounded)]),
      );
    },
  });
  return { ...browser, about, times };
}

async function cold() {
  const found = [];
  for (const { network, name, link, asked } of coldVisits(manifest, quick)) {
    site.forget();
    site.megabits = LINKS[link];
    const query = new URLSearchParams(asked);
    const { milliseconds, answer } = await visit(`idle.html?${query}`, "/cold", {});
    const wrong = fault(models, manifest, network, asked.file.split("/").at(-1), [answer]);
    if (wrong) throw new Error(`${name} on ${network}, first answer: ${wrong}`);
    const { raw, sent } = site.counted;
    found.push({ network, name, link, milliseconds, raw, sent });
  }
  site.megabits = Infinity;
  return found;
}

if (missing) {
  console.error(`bench web: ${missing}`);
  process.exit(1);
}
const address = await site.start();
try {
  const labels = Object.fromEntries(
    Object.entries(manifest.networks).map(([name, { label }]) => [name, label]),
  );
  const facts = { date: new Date().toISOString().slice(0, 10), cpu: cpus()[0].model, quick };
  const measured = { ...facts, labels, contestants: CONTESTANTS, warm: await warm(), cold: await cold() };
  writeFileSync(result, `${JSON.stringify(measured)}\n`);
} finally {
  site.stop();
}
