// Pooling windows of float planes, and the mean of a whole plane in the order of docs/format.md.

// One vector of output columns of one output row, in one plane.
struct PoolVector {
  const Pool& step;
  const float* plane;
  std::size_t row, vector;
};

Floats strided_floats(const float* p, std::size_t stride, std::uint64_t mask, Floats outside) {
  if (stride == 1) return load_floats_or(p, mask, outside);
  if (stride == 2) return select_floats(mask, even_floats(p), outside);
  alignas(64) float lanes[float_lanes];
  store_floats(lanes, outside);
  for (std::size_t i = 0; i < float_lanes; ++i) {
    if (mask >> i & 1) lanes[i] = p[i * stride];
  }
  return load_floats(lanes);
}

// Rows [first, last) of the kernel lie inside the image.
Range rows_inside(const Window& w, std::size_t row) {
  const std::size_t top = row * w.stride_y;  // of the window, in the padded image
  const std::size_t first = top < w.pad_top ? w.pad_top - top : 0;
  const std::size_t last = top < w.pad_top + w.in_h ? w.pad_top + w.in_h - top : 0;
  return {smaller(first, w.kernel_h), smaller(last, w.kernel_h)};
}

// Combines the taps in order, those outside the image as `outside`.
template <class Combine>
Floats combine_taps(const PoolVector& p, Floats outside, Combine combine) {
  const Window& w = p.step.window;
  const Range rows = rows_inside(w, p.row);
  const auto column = static_cast<std::ptrdiff_t>(p.vector * float_lanes * w.stride_x) -
                      static_cast<std::ptrdiff_t>(w.pad_left);
  Floats result = outside;
  for (std::size_t ky = rows.begin; ky < rows.end; ++ky) {
    const float* row = p.plane + (p.row * w.stride_y + ky - w.pad_top) * w.in_w;
    for (std::size_t kx = 0; kx < w.kernel_w; ++kx) {
      const std::uint64_t mask = p.step.columns[kx * p.step.vectors + p.vector];
      if (mask == 0) continue;  // may lie far outside the memory
      const float* tap = row + column + static_cast<std::ptrdiff_t>(kx);
      result = combine(result, strided_floats(tap, w.stride_x, mask, outside));
    }
  }
  return result;
}

// A sum never is -0 (it starts from +0), so that adding +0 for what is outside changes nothing.
Floats average_taps(const PoolVector& p) {
  const Range rows = rows_inside(p.step.window, p.row);
  const Floats columns = load_floats(p.step.counts + p.vector * float_lanes);
  const Floats count =
      mul_floats(columns, broadcast_float(static_cast<float>(rows.end - rows.begin)));
  const Floats sum =
      combine_taps(p, zero_floats(), [](Floats s, Floats x) { return add_floats(s, x); });
  return div_floats(sum, count);
}

Floats greatest_tap(const PoolVector& p) {
  return combine_taps(p, broadcast_float(-__builtin_inff()),
                      [](Floats m, Floats x) { return max_floats(x, m); });
}

void pool_row(const PoolVector& start, float* out) {
  PoolVector p = start;
  const std::size_t width = p.step.window.out_w;
  for (; p.vector < p.step.vectors; ++p.vector) {
    const std::size_t first = p.vector * float_lanes;
    const Floats x = p.step.average ? average_taps(p) : greatest_tap(p);
    store_floats_some(out + first, x, smaller(float_lanes, width - first));
  }
}

void pool(const Pool& step, const Frame& frame, Range range) {
  const Window& w = step.window;
  for (std::size_t c = range.begin; c < range.end; ++c) {
    const float* plane = float_plane(frame, step.input, c);
    float* out = float_plane(frame, step.output, c);
    for (std::size_t row = 0; row < w.out_h; ++row)
      pool_row({step, plane, row, 0}, out + row * w.out_w);
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
