// Pooling windows of byte planes: eight channels at once, rows first, then columns. A window has at
// least one pixel inside the image, so that unused bits stay zero.

// Ands of the rows of a window, turned, with ones to the left and right; `row` has room for both.
void and_rows(const PoolBits& step, const std::uint8_t* __restrict in, Range rows,
              std::uint8_t turned, std::uint8_t* __restrict row) {
  const std::size_t width = step.window.in_w;
  for (std::size_t x = 0; x < width; ++x)
    row[x] = static_cast<std::uint8_t>(in[rows.begin * width + x] ^ turned);
  for (std::size_t y = rows.begin + 1; y < rows.end; ++y) {
    for (std::size_t x = 0; x < width; ++x)
      row[x] = static_cast<std::uint8_t>(row[x] & (in[y * width + x] ^ turned));
  }
}

template <std::size_t column_stride>
void and_columns(const Window& w, const std::uint8_t* __restrict row, std::uint8_t turned,
                 std::uint8_t* __restrict out) {
  const std::size_t stride = column_stride != 0 ? column_stride : w.stride_x;
  std::memset(out, 0xff, w.out_w);
  for (std::size_t kx = 0; kx < w.kernel_w; ++kx) {
    for (std::size_t x = 0; x < w.out_w; ++x)
      out[x] = static_cast<std::uint8_t>(out[x] & row[x * stride + kx]);
  }
  for (std::size_t x = 0; x < w.out_w; ++x) out[x] = static_cast<std::uint8_t>(out[x] ^ turned);
}

void pool_bits(const PoolBits& step, const Frame& frame, Range range) {
  const Window& w = step.window;
  std::uint8_t* padded = frame.scratch;
  std::memset(padded, 0xff, w.pad_left + w.in_w + w.pad_right);
  for (std::size_t plane = range.begin; plane < range.end; ++plane) {
    const std::uint8_t* in = byte_plane(frame, step.input, plane);
    std::uint8_t* out = byte_plane(frame, step.output, plane);
    const std::uint8_t turned = step.turned[plane];
    for (std::size_t y = 0; y < w.out_h; ++y, out += w.out_w) {
      const Range inside = rows_inside(w, y);
      const std::size_t top = y * w.stride_y - w.pad_top;  // may wrap, and wraps back
      and_rows(step, in, {top + inside.begin, top + inside.end}, turned, padded + w.pad_left);
      if (w.stride_x == 1) {
        and_columns<1>(w, padded, turned, out);
      } else if (w.stride_x == 2) {
        and_columns<2>(w, padded, turned, out);
      } else {
        and_columns<0>(w, padded, turned, out);
      }
    }
  }
}
