// The linear layer: lanes are outputs, one chain of fused multiply-adds each.

// Outputs of `vectors` vectors, from `first` on. `weights` are those of the first, in rows of
// `width`.
template <std::size_t vectors>
void linear_outputs(const Linear& step, const Frame& frame, std::size_t first, const float* weights,
                    std::size_t width) {
  const Planes& in = planes_of(frame, step.input);
  Floats sum[vectors];
  for (std::size_t v = 0; v < vectors; ++v)
    sum[v] = load_floats(step.bias + first + v * float_lanes);
  for (std::size_t c = 0; c < in.channels; ++c) {
    const float* plane = float_plane(frame, step.input, c);
    for (std::size_t i = 0; i < pixels(in); ++i, weights += width) {
      const Floats x = broadcast_float(plane[i]);
      for (std::size_t v = 0; v < vectors; ++v)
        sum[v] = fma_floats(load_floats(weights + v * float_lanes), x, sum[v]);
    }
  }
  alignas(64) float row[vectors * float_lanes];
  for (std::size_t v = 0; v < vectors; ++v) store_floats(row + v * float_lanes, sum[v]);
  float* out = float_plane(frame, step.output, 0);
  const std::size_t out_stride = planes_of(frame, step.output).stride;
  const std::size_t count = smaller(vectors * float_lanes, step.outputs - first);
  for (std::size_t o = 0; o < count; ++o) out[(first + o) * out_stride] = row[o];
}

void linear(const Linear& step, const Frame& frame, Range range) {
  constexpr std::size_t few = max_float_lanes / float_lanes;
  constexpr std::size_t many = float_lanes > 1 ? linear_block / float_lanes : few;
  const Planes& in = planes_of(frame, step.input);
  for (std::size_t unit = range.begin; unit < range.end; ++unit) {
    const std::size_t first = unit * linear_block;
    const std::size_t width = smaller(linear_block, step.padded_outputs - first);
    const float* weights = step.weights + first * in.channels * pixels(in);
    if (width == many * float_lanes) {
      linear_outputs<many>(step, frame, first, weights, width);
      continue;
    }
    for (std::size_t o = 0; o < width; o += max_float_lanes)
      linear_outputs<few>(step, frame, first + o, weights + o, width);
  }
}
