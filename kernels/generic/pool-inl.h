// Pooling windows of float planes, and the mean of a whole plane in the order of docs/format.md.

// The taps of one vector of output pixels, in one plane.
struct PoolTaps {
  const Taps& taps;
  const float* plane;
  float* scratch;
  std::size_t vector;
};

template <class Combine>
Floats combine_rows(const PoolTaps& p, float outside, Combine combine) {
  const Source<float> source{p.plane, 0, 1};
  gather_rows(p.taps, source, p.vector, 1, p.scratch, {float_lanes, 0}, outside);
  Floats result = broadcast_float(outside);
  for (std::size_t t = 0; t < p.taps.taps; ++t) {
    result = combine(result, load_floats(p.scratch + t * float_lanes));
  }
  return result;
}

// Combines the taps in order, those outside the image as `outside`.
template <class Combine>
Floats combine_taps(const PoolTaps& p, float outside, Combine combine) {
  if (p.taps.gather == Gather::rows) return combine_rows(p, outside, combine);
  const std::uint64_t* inside = p.taps.inside + p.taps.pattern[p.vector] * p.taps.taps;
  const float* in = p.plane + p.vector * float_lanes;
  const Floats other = broadcast_float(outside);
  Floats result = other;
  for (std::size_t t = 0; t < p.taps.taps; ++t) {
    if (inside[t] == 0) continue;
    result = combine(result, load_floats_or(in + p.taps.offset[t], inside[t], other));
  }
  return result;
}

// A sum never is -0 (it starts from +0), so that adding +0 for what is outside changes nothing.
Floats average_taps(const Pool& step, const PoolTaps& p) {
  const float* count = step.count + step.taps.pattern[p.vector] * float_lanes;
  const Floats sum = combine_taps(p, 0.0f, [](Floats s, Floats x) { return add_floats(s, x); });
  return div_floats(sum, load_floats(count));
}

Floats greatest_tap(const PoolTaps& p) {
  return combine_taps(p, -__builtin_inff(), [](Floats m, Floats x) { return max_floats(x, m); });
}

void pool(const Pool& step, const Frame& frame, Range range) {
  auto* scratch = reinterpret_cast<float*>(frame.scratch);
  for (std::size_t c = range.begin; c < range.end; ++c) {
    float* out = float_plane(frame, step.output, c);
    const float* plane = float_plane(frame, step.input, c);
    for (std::size_t v = 0; v < step.taps.vectors; ++v) {
      const PoolTaps p{step.taps, plane, scratch, v};
      store_floats(out + v * float_lanes, step.average ? average_taps(step, p) : greatest_tap(p));
    }
  }
}

float mean_of(const float* x, std::size_t count) {
  float sums[16] = {};
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (std::size_t j = 0; j < 16; ++j) sums[j] += x[i + j];
  }
  for (std::size_t j = 0; i + j < count; ++j) sums[j] += x[i + j];
  for (std::size_t half = 8; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  }
  return sums[0] / static_cast<float>(count);
}

void global_avg_pool(const GlobalAvgPool& step, const Frame& frame, Range range) {
  const std::size_t count = pixels(planes_of(frame, step.input));
  for (std::size_t c = range.begin; c < range.end; ++c) {
    *float_plane(frame, step.output, c) = mean_of(float_plane(frame, step.input, c), count);
  }
}
