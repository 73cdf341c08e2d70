// Measures as bnas_deploy/rivals/turns.py does: rounds in which every contestant has a short block of calls.
import { post, work } from "./post.js";

const BLOCK = 20; // milliseconds
const MOST_CALLS = 10;
const FIRST_CALLS = 3; // tell how long one takes
const WARM = 400; // milliseconds, in which the browser makes better code
const SHORT = 20; // a call that is shorter goes after an untimed one, as the others have emptied the caches

const median = (/** @type {number[]} */ numbers) =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/**
 * @param {Record<string, string | number>} asked
 * @returns {Promise<{ about: string, answer: (i: number) => Promise<number[]>, time: () => Promise<number> }>}
 */
async function enter(asked) {
  const frame = document.createElement("iframe");
  frame.src = `contestant.html?${new URLSearchParams(/** @type {any} */ (asked))}`;
  const loaded = new Promise((done) => addEventListener("contestant", done, { once: true }));
  document.body.append(frame);
  await loaded;
  return /** @type {any} */ (frame.contentWindow).contestant;
}

/** @param {{ time: () => Promise<number> }} contestant */
async function block(contestant, calls = MOST_CALLS, warm = true) {
  const times = [];
  if (warm) await contestant.time();
  for (let i = 0; i < calls; ++i) times.push(await contestant.time());
  return times;
}

/**
 * @param {string} network
 * @param {{ size: number, images: number, rounds: number, contestants: Record<string, any> }} plan
 */
async function measure(network, { size, images, rounds, contestants }) {
  const entered = [];
  for (const [name, asked] of Object.entries(contestants)) {
    const contestant = await enter({ ...asked, size });
    const answers = [];
    for (let i = 0; i < images; ++i) answers.push(await contestant.answer(i));
    const { about } = contestant;
    const fault = await post("/answers", { network, name, about, answers });
    if (fault) throw new Error(`${name} on ${network}: ${fault}`);
    for (const end = performance.now() + WARM; performance.now() < end; ) await contestant.time();
    const call = median(await block(contestant, FIRST_CALLS));
    const calls = Math.max(1, Math.min(MOST_CALLS, Math.floor(BLOCK / call)));
    entered.push({ name, contestant, calls, warm: call < SHORT, times: /** @type {number[]} */ ([]) });
  }
  for (let round = 0; round < rounds; ++round) {
    for (const { contestant, calls, warm, times } of entered) {
      times.push(...(await block(contestant, calls, warm)));
    }
  }
  document.body.replaceChildren();
  const times = Object.fromEntries(entered.map(({ name, times }) => [name, times]));
  await post("/times", { network, times });
}

work(async () => {
  if (!crossOriginIsolated) throw new Error("the page is not cross-origin isolated: no threads");
  const plan = await post("/plan", null);
  for (const [network, its] of Object.entries(plan)) await measure(network, its);
  await post("/done", { browser: navigator.userAgent, cores: navigator.hardwareConcurrency });
});
