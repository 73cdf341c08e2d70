// What a model is: struct bnas_description, whose numbers and pointers have 32 bits here.

/**
 * @param {import("./engine.js").Engine} engine
 * @param {number} handle
 */
export function describe(engine, handle) {
  return engine.scoped((allocate) => {
    const address = allocate(12 * 4);
    engine.c.bnas_model_describe(handle, address);
    const field = (/** @type {number} */ i) => engine.view.getUint32(address + 4 * i, true);
    const [channels, height, width, classes] = [0, 1, 2, 3].map(field);
    const doubles = (/** @type {number} */ at) =>
      Array.from({ length: channels }, (_, i) => engine.view.getFloat64(at + 8 * i, true));
    return Object.freeze({
      inputShape: Object.freeze([channels, height, width]),
      labels: Object.freeze(
        Array.from({ length: classes }, (_, i) =>
          engine.text(engine.c.bnas_model_label(handle, i)),
        ),
      ),
      isa: engine.text(field(4)),
      formatVersion: engine.text(field(5)),
      preprocessing: Object.freeze({
        resize: field(6),
        crop: Object.freeze([height, width]),
        mean: Object.freeze(doubles(field(7))),
        std: Object.freeze(doubles(field(8))),
      }),
      memory: Object.freeze({ weights: field(9), tables: field(10), context: field(11) }),
    });
  });
}
