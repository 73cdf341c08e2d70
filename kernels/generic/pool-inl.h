// Pooling windows of float planes tap by tap, in the order of docs/format.md.

constexpr std::size_t pooled_planes =
    4;  // at a time: what a tap costs besides its pixels is shared

// One vector of output columns of one output row, in a few planes.
struct PoolVector {
  const Pool& step;
  const float* plane;
  std::size_t stride;  // from plane to plane
  std::size_t row, vector;
};

template <std::size_t column_stride>
Floats pooled_floats(const float* p, const Window& w, std::uint64_t mask, Floats outside) {
  if constexpr (column_stride == 1) return load_floats_or(p, mask, outside);
  if constexpr (column_stride == 2) return load_even_floats_or(p, mask, outside);
  alignas(64) float lanes[float_lanes];
  store_floats(lanes, outside);
  for (std::size_t i = 0; i < float_lanes; ++i) {
    if (mask >> i & 1) lanes[i] = p[i * w.stride_x];
  }
  return load_floats(lanes);
}

// The rows of the kernel that lie inside the image.
Range rows_inside(const Window& w, std::size_t row) {
  const std::size_t top = row * w.stride_y;  // of the window, in the padded image
  const std::size_t first = top < w.pad_top ? w.pad_top - top : 0;
  const std::size_t last = top < w.pad_top + w.in_h ? w.pad_top + w.in_h - top : 0;
  return {smaller(first, w.kernel_h), smaller(last, w.kernel_h)};
}

struct Greatest {
  static Floats outside() { return broadcast_float(-__builtin_inff()); }
  static Floats combine(Floats greatest, Floats x) { return max_floats(x, greatest); }
  static Floats finish(const PoolVector&, Floats greatest) { return greatest; }
};

struct Average {
  // A sum never is -0 (it starts from +0), so that adding +0 for what is outside changes nothing.
  static Floats outside() { return zero_floats(); }
  static Floats combine(Floats sum, Floats x) { return add_floats(sum, x); }
  static Floats finish(const PoolVector& p, Floats sum) {
    if (p.step.inverse != 0.0f) return mul_floats(sum, broadcast_float(p.step.inverse));
    const Range rows = rows_inside(p.step.window, p.row);
    const Floats columns = load_floats(p.step.counts + p.vector * float_lanes);
    const auto count = static_cast<float>(static_cast<std::int32_t>(rows.end - rows.begin));
    return div_floats(sum, mul_floats(columns, broadcast_float(count)));
  }
};

// Combines the taps in order.
template <class How, std::size_t column_stride, std::size_t planes>
void combine_taps(const PoolVector& p, Floats (&result)[planes]) {
  const Window& w = p.step.window;
  const Range rows = rows_inside(w, p.row);
  const std::size_t kernel_w = w.kernel_w;
  const std::uint64_t* columns = p.step.columns + p.vector * kernel_w;
  const auto column = static_cast<std::ptrdiff_t>(p.vector * float_lanes * w.stride_x) -
                      static_cast<std::ptrdiff_t>(w.pad_left);
  const Floats outside = How::outside();
  for (Floats& x : result) x = outside;
  for (std::size_t ky = rows.begin; ky < rows.end; ++ky) {
    const float* tap = p.plane + (p.row * w.stride_y + ky - w.pad_top) * w.in_w + column;
    for (std::size_t kx = 0; kx < kernel_w; ++kx, ++tap) {
      const std::uint64_t mask = columns[kx];
      if (mask == 0) continue;  // may lie far outside the memory
#pragma GCC unroll 4
      for (std::size_t i = 0; i < planes; ++i) {
        const Floats x = pooled_floats<column_stride>(tap + i * p.stride, w, mask, outside);
        result[i] = How::combine(result[i], x);
      }
    }
  }
}

template <class How, std::size_t column_stride, std::size_t planes>
void pool_planes(const Pool& step, const float* in, std::size_t in_stride, float* out,
                 std::size_t out_stride) {
  const Window& w = step.window;
  for (std::size_t row = 0; row < w.out_h; ++row, out += w.out_w) {
    for (std::size_t v = 0; v < step.vectors; ++v) {
      const PoolVector p{step, in, in_stride, row, v};
      Floats result[planes];
      combine_taps<How, column_stride>(p, result);
      float* to = out + v * float_lanes;
      const std::size_t count = smaller(float_lanes, w.out_w - v * float_lanes);
      for (std::size_t i = 0; i < planes; ++i)
        store_floats_some(to + i * out_stride, How::finish(p, result[i]), count);
    }
  }
}

template <class How, std::size_t column_stride>
void pool_channels(const Pool& step, const Frame& frame, Range range) {
  const std::size_t in_stride = planes_of(frame, step.input).stride;
  const std::size_t out_stride = planes_of(frame, step.output).stride;
  std::size_t c = range.begin;
  for (; c + pooled_planes <= range.end; c += pooled_planes) {
    pool_planes<How, column_stride, pooled_planes>(step, float_plane(frame, step.input, c),
                                                   in_stride, float_plane(frame, step.output, c),
                                                   out_stride);
  }
  for (; c < range.end; ++c) {
    pool_planes<How, column_stride, 1>(step, float_plane(frame, step.input, c), in_stride,
                                       float_plane(frame, step.output, c), out_stride);
  }
}

template <class How>
void pool_as(const Pool& step, const Frame& frame, Range range) {
  switch (step.window.stride_x) {
    case 1:
      return pool_channels<How, 1>(step, frame, range);
    case 2:
      return pool_channels<How, 2>(step, frame, range);
    default:
      return pool_channels<How, 0>(step, frame, range);
  }
}
