// Pooling windows of float planes, and the mean of a whole plane in the order of docs/format.md.

// Output columns whose tap kx lies inside the image.
Range columns_inside(const Window& w, std::size_t kx) {
  std::size_t begin = 0, end = w.out_w;
  while (begin < end && begin * w.stride_x + kx < w.pad_left) ++begin;
  while (end > begin && (end - 1) * w.stride_x + kx >= w.in_w + w.pad_left) --end;
  return {begin, end};
}

template <class Combine>
void pool_columns(float* __restrict out, const float* __restrict in, std::size_t count,
                  std::size_t stride, Combine combine) {
  if (stride == 1) {
    for (std::size_t x = 0; x < count; ++x) out[x] = combine(out[x], in[x]);
  } else if (stride == 2) {
    for (std::size_t x = 0; x < count; ++x) out[x] = combine(out[x], in[2 * x]);
  } else {
    for (std::size_t x = 0; x < count; ++x) out[x] = combine(out[x], in[stride * x]);
  }
}

// Combines the taps of output row y in order; returns the number of rows of the window inside the
// image.
template <class Combine>
std::size_t pool_row(const Window& w, const float* plane, std::size_t y, float* out,
                     Combine combine) {
  std::size_t rows = 0;
  for (std::size_t ky = 0; ky < w.kernel_h; ++ky) {
    const std::size_t row = y * w.stride_y + ky;
    if (row < w.pad_top || row - w.pad_top >= w.in_h) continue;
    ++rows;
    for (std::size_t kx = 0; kx < w.kernel_w; ++kx) {
      const Range columns = columns_inside(w, kx);
      if (columns.begin == columns.end) continue;
      const float* in =
          plane + (row - w.pad_top) * w.in_w + columns.begin * w.stride_x + kx - w.pad_left;
      pool_columns(out + columns.begin, in, columns.end - columns.begin, w.stride_x, combine);
    }
  }
  return rows;
}

void max_row(const Window& w, const float* plane, std::size_t y, float* out) {
  for (std::size_t x = 0; x < w.out_w; ++x) out[x] = -__builtin_inff();
  pool_row(w, plane, y, out, [](float m, float x) { return x > m ? x : m; });
}

void average_row(const Window& w, const float* plane, std::size_t y, float* out) {
  for (std::size_t x = 0; x < w.out_w; ++x) out[x] = 0.0f;
  const std::size_t rows = pool_row(w, plane, y, out, [](float s, float x) { return s + x; });
  for (std::size_t x = 0; x < w.out_w; ++x) {
    std::size_t columns = 0;
    for (std::size_t kx = 0; kx < w.kernel_w; ++kx) {
      const std::size_t column = x * w.stride_x + kx;
      columns += column >= w.pad_left && column - w.pad_left < w.in_w;
    }
    out[x] /= static_cast<float>(rows * columns);
  }
}

void pool(const Pool& step, const Frame& frame, Range range) {
  const Window& w = step.window;
  for (std::size_t c = range.begin; c < range.end; ++c) {
    const float* plane = float_plane(frame, step.input, c);
    float* out = float_plane(frame, step.output, c);
    for (std::size_t y = 0; y < w.out_h; ++y) {
      (step.average ? average_row : max_row)(w, plane, y, out + y * w.out_w);
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
