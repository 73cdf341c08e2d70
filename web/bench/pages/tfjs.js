// Runs what tfjs_graph.py has written with TensorFlow.js's operators, on its WebAssembly backend.

const MODULES = new URL("../node_modules/@tensorflow/", import.meta.url);

/** @param {string} path in the packages */
function script(path) {
  return new Promise((done, failed) => {
    const element = Object.assign(document.createElement("script"), { src: new URL(path, MODULES).href });
    element.addEventListener("load", done);
    element.addEventListener("error", () => failed(new Error(`${path} cannot be loaded`)));
    document.head.append(element);
  });
}

/** @param {number} threads */
async function start(threads) {
  await script("tfjs-core/dist/tf-core.min.js");
  await script("tfjs-backend-wasm/dist/tf-backend-wasm.min.js");
  const { tf } = /** @type {any} */ (globalThis);
  tf.wasm.setWasmPaths(new URL("tfjs-backend-wasm/dist/", MODULES).href);
  tf.wasm.setThreadsCount(threads);
  if (!(await tf.setBackend("wasm"))) throw new Error("TensorFlow.js has no WebAssembly backend here");
  return tf;
}

/** By ONNX's names; x: inputs, w: weights. @type {(tf: any) => Record<string, (x: any[], w: any[], node: any) => any>} */
const operators = (tf) => ({
  Add: ([a, b], [constant]) => tf.add(a, b ?? constant),
  AveragePool: ([x], _, { size, stride, pad }) => tf.avgPool(x, size, stride, pad, "floor"),
  BatchNormalization: ([x], [scale, shift, mean, variance], { epsilon }) =>
    tf.batchNorm4d(x, mean, variance, shift, scale, epsilon),
  Concat: (x, _, { axis }) => tf.concat(x, axis),
  Conv: ([x], [filter, bias], { stride, pad, dilation, activation }) =>
    tf.fused.conv2d({
      ...{ x, filter, bias, strides: stride, pad, dilations: dilation, activation },
      dimRoundingMode: "floor",
    }),
  Flatten: ([x]) => tf.reshape(x, [1, -1]),
  Gemm: ([x], [weight, bias]) => tf.fused.matMul({ a: x, b: weight, bias }),
  GlobalAveragePool: ([x]) => tf.mean(x, [1, 2], true),
  MaxPool: ([x], _, { size, stride, pad }) => tf.maxPool(x, size, stride, pad, "floor"),
  Relu: ([x]) => tf.relu(x),
  Split: ([x], _, { sizes, axis }) => tf.split(x, sizes, axis),
});

/** A convolution whose only reader is a ReLU does both, as TensorFlow.js's own converter has it. @param {any[]} nodes */
function fuse(nodes) {
  const readers = (/** @type {string} */ name) => nodes.filter(({ inputs }) => inputs.includes(name));
  const gone = new Set();
  for (const node of nodes.filter(({ kind }) => kind === "Conv")) {
    const [reader, ...others] = readers(node.outputs[0]);
    if (others.length > 0 || reader?.kind !== "Relu") continue;
    [node.outputs, node.activation] = [reader.outputs, "relu"];
    gone.add(reader);
  }
  return nodes.filter((node) => !gone.has(node));
}

/** @type {(options: import("./engines.js").Options) => Promise<import("./engines.js").Network>} */
export async function openTfjs({ file, size, threads }) {
  const [tf, graph, weights] = await Promise.all([
    start(threads),
    fetch(file).then((response) => response.json()),
    fetch(file.replace(".json", ".weights")).then((response) => response.arrayBuffer()),
  ]);
  let at = 0;
  const held = graph.weights.map((/** @type {number[]} */ shape) => {
    const count = shape.reduce((product, side) => product * side, 1);
    at += 4 * count;
    return tf.tensor(new Float32Array(weights, at - 4 * count, count), shape);
  });
  const [nodes, kinds] = [fuse(graph.nodes), operators(tf)];
  const run = (/** @type {Float32Array} */ image) => {
    const logits = tf.tidy(() => {
      const values = { image: tf.transpose(tf.tensor(image, [1, 3, size, size]), [0, 2, 3, 1]) };
      for (const node of nodes) {
        const inputs = node.inputs.map((/** @type {string} */ name) => values[name]);
        const made = kinds[node.kind](inputs, node.weights.map((/** @type {number} */ i) => held[i]), node);
        node.outputs.forEach((/** @type {string} */ name, /** @type {number} */ i) => {
          values[name] = Array.isArray(made) ? made[i] : made;
        });
      }
      return values.logits;
    });
    const answer = logits.dataSync();
    logits.dispose();
    return answer;
  };
  return { about: `TensorFlow.js ${tf.version_core}`, run };
}
