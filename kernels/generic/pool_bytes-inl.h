// Greatest bytes of 3x3 windows of stride 2, made into floats: what a binary convolution leaves of
// its rooms, before its scale. Columns first, then rows, then the scale.

#ifndef BNAS_POOL_BYTES
Bytes max_bytes(Bytes a, Bytes b) { return add_bytes(sub_bytes_saturated(a, b), b); }
// Lanes 0, 2, ... of a and then of b.
Bytes even_lanes(Bytes a, Bytes b) {
  constexpr std::size_t size = byte_lanes < phase_block ? phase_block : byte_lanes;
  alignas(64) std::uint8_t whole[2 * size] = {}, half[size];
  store_bytes(whole, a);
  store_bytes(whole + byte_lanes, b);
  for (std::size_t i = 0; i < byte_lanes; i += phase_block)
    store_even_bytes(half + i, whole + 2 * i);
  return load_bytes(half);
}
#endif

// Scratch memory of a plane. Rows of zeros lie above and below the half of the columns.
struct PoolBytesPlane {
  std::uint8_t* half;  // of the input: every second column
  std::uint8_t* rows_of_three;
  std::size_t pixels, rows, width;  // pixels: of the input; rows and width: of the half
};

// The greatest of three columns, where the middle one is even.
void greatest_columns(const PoolBytes& step, const std::uint8_t* in, const PoolBytesPlane& plane) {
  const auto three = [&](std::size_t i) {
    const Bytes two = max_bytes(load_bytes(in + i), load_bytes(in + i + 1));
    return max_bytes(two, load_bytes_masked(in + i - 1, step.inside[i / byte_lanes]));
  };
  for (std::size_t i = 0; i < plane.pixels; i += 2 * byte_lanes)
    store_bytes(plane.half + i / 2, even_lanes(three(i), three(i + byte_lanes)));
  std::memset(plane.half + plane.rows * plane.width, 0, plane.width);
}

// The greatest of three rows; every second one is asked for.
void greatest_rows(const PoolBytesPlane& plane) {
  for (std::size_t i = 0; i < plane.rows * plane.width; i += byte_lanes) {
    const std::uint8_t* row = plane.half + i;
    const Bytes two = max_bytes(load_bytes(row - plane.width), load_bytes(row));
    store_bytes(plane.rows_of_three + i, max_bytes(two, load_bytes(row + plane.width)));
  }
}

// Brings every second row together, block by block: what goes too far is written over.
void keep_even_rows(const PoolBytesPlane& plane) {
  std::uint8_t* to = plane.half;
  for (std::size_t y = 0; y < plane.rows; y += 2, to += plane.width) {
    const std::uint8_t* row = plane.rows_of_three + y * plane.width;
    for (std::size_t x = 0; x < plane.width; x += phase_block)
      std::memcpy(to + x, row + x, phase_block);
  }
}

void scale_pooled(const std::uint8_t* in, Floats scale, float* out, std::size_t count) {
  for (std::size_t i = 0; i < count; i += float_lanes)
    store_floats(out + i, mul_floats(bytes_to_floats(in + i), scale));
}

// Rows that fill vectors are read where they lie.
void scale_even_rows(const PoolBytesPlane& plane, Floats scale, float* out) {
  const std::size_t out_rows = (plane.rows + 1) / 2;
  if (plane.width % float_lanes == 0) {
    for (std::size_t y = 0; y < out_rows; ++y) {
      const std::size_t first = y * plane.width;
      scale_pooled(plane.rows_of_three + 2 * first, scale, out + first, plane.width);
    }
  } else {
    keep_even_rows(plane);
    scale_pooled(plane.half, scale, out, out_rows * plane.width);
  }
}

void pool_bytes(const PoolBytes& step, const Frame& frame, Range range) {
  const Planes& in = planes_of(frame, step.input);
  const std::size_t width = in.width / 2, rows = in.height;
  const std::size_t size = ((rows + 2) * width / max_lanes + 3) * max_lanes;
  const PoolBytesPlane plane{frame.scratch + width, frame.scratch + size, pixels(in), rows, width};
  std::memset(frame.scratch, 0, width);
  for (std::size_t c = range.begin; c < range.end; ++c) {
    greatest_columns(step, byte_plane(frame, step.input, c), plane);
    greatest_rows(plane);
    scale_even_rows(plane, broadcast_float(step.scale[c]), float_plane(frame, step.output, c));
  }
}
