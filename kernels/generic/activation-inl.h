// Activations of one element, and constants. Output and input may be the same planes.

template <class Function>
void each_vector(const Frame& frame, ValueId input, ValueId output, std::size_t c,
                 Function function) {
  const std::size_t count = planes_of(frame, input).stride;
  const float* in = float_plane(frame, input, c);
  float* out = float_plane(frame, output, c);
  for (std::size_t i = 0; i < count; i += float_lanes)
    store_floats(out + i, function(load_floats(in + i)));
}

void prelu(const Prelu& step, const Frame& frame, Range range) {
  for (std::size_t c = range.begin; c < range.end; ++c) {
    const Floats slope = broadcast_float(step.slope[c]);
    each_vector(frame, step.input, step.output, c, [&](Floats x) {
      return add_floats(relu_floats(x), mul_floats(min_floats(x, zero_floats()), slope));
    });
  }
}

void clip(const Clip& step, const Frame& frame, Range range) {
  for (std::size_t c = range.begin; c < range.end; ++c) {
    const Floats low = broadcast_float(step.low[c]), high = broadcast_float(step.high[c]);
    each_vector(frame, step.input, step.output, c,
                [&](Floats x) { return min_floats(max_floats(x, low), high); });
  }
}

// A quotient of polynomials of t * t, in the order of docs/format.md.
Floats sigmoid_floats(Floats x) {
  constexpr float p[] = {1.2875206109597137e-11f, 7.996804640697519e-08f, 5.447783041745424e-05f,
                         0.008358248509466648f, 0.2499999701976776f};
  constexpr float q[] = {3.00885072412882e-09f, 5.111538030178053e-06f, 0.0016151234740391374f,
                         0.11676623672246933f, 1.0f};
  const Floats far = broadcast_float(18.0f);
  const Floats t = min_floats(max_floats(x, broadcast_float(-18.0f)), far);
  const Floats u = mul_floats(t, t);
  Floats a = broadcast_float(p[0]), b = broadcast_float(q[0]);
  for (std::size_t i = 1; i < 5; ++i) {
    a = fma_floats(a, u, broadcast_float(p[i]));
    b = fma_floats(b, u, broadcast_float(q[i]));
  }
  const Floats y = add_floats(div_floats(mul_floats(t, a), b), broadcast_float(0.5f));
  return min_floats(relu_floats(y), broadcast_float(1.0f));
}

void sigmoid(const Sigmoid& step, const Frame& frame, Range range) {
  for (std::size_t c = range.begin; c < range.end; ++c)
    each_vector(frame, step.input, step.output, c, sigmoid_floats);
}

void hard_sigmoid(const HardSigmoid& step, const Frame& frame, Range range) {
  const Floats slope = broadcast_float(step.slope), middle = broadcast_float(step.middle);
  const Floats one = broadcast_float(1.0f);
  for (std::size_t c = range.begin; c < range.end; ++c) {
    each_vector(frame, step.input, step.output, c, [&](Floats x) {
      return min_floats(relu_floats(fma_floats(x, slope, middle)), one);
    });
  }
}

void constant(const Constant& step, const Frame& frame, Range range) {
  const std::size_t count = pixels(planes_of(frame, step.output));
  for (std::size_t c = range.begin; c < range.end; ++c) {
    std::memcpy(float_plane(frame, step.output, c), step.values + c * count, count * sizeof(float));
  }
}
