// Pooling windows of byte planes: eight channels at once, rows first, then columns. A window has at
// least one pixel inside the image, so that unused bits stay zero.

// Two rows of scratch memory, as long as a padded row of the image, and a vector longer.
struct PoolRows {
  std::uint8_t* rows;     // of a window, anded, with ones to the left and right
  std::uint8_t* columns;  // of these, from each column on
  std::size_t width;      // of the padded image, as far as windows reach
};

// Ands of the rows of a window, inverted. Ones to the right are written over, and laid again.
void and_rows(const Window& w, const std::uint8_t* in, std::size_t count, Bytes inverted,
              const PoolRows& scratch) {
  std::uint8_t* to = scratch.rows + w.pad_left;
  for (std::size_t x = 0; x < w.in_w; x += byte_lanes) {
    Bytes sum = xor_bytes(load_bytes(in + x), inverted);
    for (std::size_t y = 1; y < count; ++y)
      sum = sum & xor_bytes(load_bytes(in + y * w.in_w + x), inverted);
    store_bytes(to + x, sum);
  }
  std::memset(to + w.in_w, 0xff, scratch.width - w.pad_left - w.in_w + byte_lanes);
}

void and_columns(const Window& w, Bytes inverted, const PoolRows& scratch) {
  const std::size_t count = (w.out_w - 1) * w.stride_x + 1;
  for (std::size_t x = 0; x < count; x += byte_lanes) {
    Bytes sum = load_bytes(scratch.rows + x);
    for (std::size_t kx = 1; kx < w.kernel_w; ++kx) sum = sum & load_bytes(scratch.rows + x + kx);
    store_bytes(scratch.columns + x, xor_bytes(sum, inverted));
  }
}

void pool_bits(const PoolBits& step, const Frame& frame, Range range) {
  const Window& w = step.window;
  const PoolRows scratch{frame.scratch, frame.scratch + step.row, step.row - 2 * max_lanes};
  std::memset(scratch.rows, 0xff, w.pad_left);
  for (std::size_t plane = range.begin; plane < range.end; ++plane) {
    const std::uint8_t* in = byte_plane(frame, step.input, plane);
    std::uint8_t* out = byte_plane(frame, step.output, plane);
    const Bytes inverted = broadcast_bytes(step.inverted[plane] * 0x01010101u);
    for (std::size_t y = 0; y < w.out_h; ++y, out += w.out_w) {
      const Range inside = rows_inside(w, y);
      const std::size_t top = y * w.stride_y + inside.begin - w.pad_top;
      and_rows(w, in + top * w.in_w, inside.end - inside.begin, inverted, scratch);
      and_columns(w, inverted, scratch);
      if (w.stride_x == 1) {
        std::memcpy(out, scratch.columns, w.out_w);
      } else {
        copy_strided(out, scratch.columns, w.out_w, w.stride_x);
      }
    }
  }
}
