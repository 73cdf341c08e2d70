// Steps of the activation scale: the mean magnitude over the channels, and the multiplication of
// every channel by a plane or by one number. Output and input of the latter may be the same planes.

void mean_magnitude(const MeanMagnitude& step, const Frame& frame, Range range) {
  const Planes& in = planes_of(frame, step.input);
  const Floats factor = broadcast_float(step.factor), rest = broadcast_float(step.rest);
  const Floats minus = broadcast_float(-1.0f);
  float* out = float_plane(frame, step.output, 0);
  for (std::size_t i = range.begin * max_float_lanes; i < range.end * max_float_lanes;
       i += float_lanes) {
    const float* x = float_plane(frame, step.input, 0) + i;
    Floats sum = zero_floats();
    for (std::size_t c = 0; c < in.channels; ++c, x += in.stride) {
      const Floats t = fma_floats(load_floats(x), broadcast_float(step.scale[c]),
                                  broadcast_float(step.shift[c]));
      const Floats magnitude = add_floats(relu_floats(t), relu_floats(mul_floats(t, minus)));
      sum = add_floats(sum, magnitude);
    }
    store_floats(out + i, fma_floats(sum, factor, rest));
  }
}

void multiply(const Multiply& step, const Frame& frame, Range range) {
  const Planes& by = planes_of(frame, step.factor);
  const std::size_t count = planes_of(frame, step.input).stride;
  for (std::size_t c = range.begin; c < range.end; ++c) {
    const float* factor = float_plane(frame, step.factor, by.channels == 1 ? 0 : c);
    const float* in = float_plane(frame, step.input, c);
    float* out = float_plane(frame, step.output, c);
    if (pixels(by) == 1) {
      const Floats same = broadcast_float(*factor);
      for (std::size_t i = 0; i < count; i += float_lanes)
        store_floats(out + i, mul_floats(load_floats(in + i), same));
      continue;
    }
    for (std::size_t i = 0; i < count; i += float_lanes)
      store_floats(out + i, mul_floats(load_floats(in + i), load_floats(factor + i)));
  }
}
