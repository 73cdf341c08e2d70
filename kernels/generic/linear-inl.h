// The linear layer: lanes are outputs, one chain of fused multiply-adds each.

void linear(const Linear& step, const Frame& frame, Range range) {
  const Planes& in = planes_of(frame, step.input);
  const std::size_t out_stride = planes_of(frame, step.output).stride;
  for (std::size_t unit = range.begin; unit < range.end; ++unit) {
    constexpr std::size_t vectors = max_float_lanes / float_lanes;
    const std::size_t first = unit * max_float_lanes;
    Floats sum[vectors];
    for (std::size_t v = 0; v < vectors; ++v)
      sum[v] = load_floats(step.bias + first + v * float_lanes);
    const float* weights = step.weights + first;
    for (std::size_t c = 0; c < in.channels; ++c) {
      const float* plane = float_plane(frame, step.input, c);
      for (std::size_t i = 0; i < pixels(in); ++i, weights += step.padded_outputs) {
        const Floats x = broadcast_float(plane[i]);
        for (std::size_t v = 0; v < vectors; ++v) {
          sum[v] = fma_floats(load_floats(weights + v * float_lanes), x, sum[v]);
        }
      }
    }
    alignas(64) float row[max_float_lanes];
    for (std::size_t v = 0; v < vectors; ++v) store_floats(row + v * float_lanes, sum[v]);
    float* out = float_plane(frame, step.output, 0);
    const std::size_t count = smaller(max_float_lanes, step.outputs - first);
    for (std::size_t o = 0; o < count; ++o) out[(first + o) * out_stride] = row[o];
  }
}
