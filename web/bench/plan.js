// What is measured: which engine with which file on which network, in how many turns, over which links.

/** Threads are what engines are told; bnas-deploy has one in a page. */
export const CONTESTANTS = {
  "bnas-8-bit": { engine: "bnas", file: "packed-8-bit.bnn", threads: 1 },
  "bnas-float": { engine: "bnas", file: "packed.bnn", threads: 1 },
  "ort-float32": { engine: "ort", file: "float32.onnx", threads: 1 },
  "ort-int8": { engine: "ort", file: "int8.onnx", threads: 1 },
  "tfjs-float32": { engine: "tfjs", file: "tfjs.json", threads: 1 },
  "ort-float32-threads": { engine: "ort", file: "float32.onnx", threads: 2 },
  "ort-int8-threads": { engine: "ort", file: "int8.onnx", threads: 2 },
};

/** Megabits a second. */
export const LINKS = { "this machine": Infinity, "20 Mbit/s": 20 };

const COLD = ["bnas-8-bit", "ort-float32", "ort-int8", "tfjs-float32"];
const COLD_NETWORKS = ["mini", "a"];
const ROUNDS = { mini: 20, a: 12, "a-conv": 8, bireal18: 4 };
const COLD_ROUNDS = { "this machine": 3, "20 Mbit/s": 2 };

/** @typedef {{ images: number, networks: Record<string, { size: number }> }} Manifest */

/**
 * @param {string} network
 * @param {{ engine: string, file: string, threads: number }} contestant
 */
const asked = (network, { engine, file, threads }) => ({
  engine,
  threads: String(threads),
  file: `/models/${network}/${file}`,
});

/**
 * @param {Manifest} manifest
 * @param {boolean} quick
 */
export function warmPlan({ images, networks }, quick) {
  const plan = Object.entries(networks).map(([network, { size }]) => {
    const contestants = Object.fromEntries(
      Object.entries(CONTESTANTS).map(([name, its]) => [name, asked(network, its)]),
    );
    return [network, { size, images, rounds: quick ? 2 : ROUNDS[network], contestants }];
  });
  return Object.fromEntries(plan);
}

/**
 * Visits in turns, so that disturbances hit all alike.
 * @param {Manifest} manifest
 * @param {boolean} quick
 */
export function coldVisits({ networks }, quick) {
  const visits = [];
  for (const [link, rounds] of Object.entries(COLD_ROUNDS)) {
    for (let round = 0; round < (quick ? 1 : rounds); ++round) {
      for (const network of COLD_NETWORKS) {
        const size = String(networks[network].size);
        for (const name of COLD) {
          visits.push({ network, name, link, asked: { ...asked(network, CONTESTANTS[name]), size } });
        }
      }
    }
  }
  return visits;
}
