// Steps that look at one pixel at a time. Output and input may be the same planes.

// Signs of a plane for `vectors` vectors of pixels. Several at a time: a channel's floats are read
// in long runs, which memory hands out faster.
template <std::size_t ways, std::size_t vectors>
void binarize_vectors(const Binarize& step, const Frame& frame, std::size_t plane,
                      std::size_t pixel) {
  const Planes& in = planes_of(frame, step.input);
  const std::size_t first = plane * bits_per_plane;
  const std::size_t count = smaller(bits_per_plane, in.channels - first);
  const float* x = float_plane(frame, step.input, first) + pixel;
  Bytes bits[vectors][ways];
  for (auto& row : bits) {
    for (Bytes& b : row) b = zero_bytes();
  }
  for (std::size_t c = 0; c < count; ++c, x += in.stride) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < vectors; ++v) {
#pragma GCC unroll 2
      for (std::size_t i = 0; i < ways; ++i)
        bits[v][i] = mark_not_less(bits[v][i], x + v * byte_lanes,
                                   step.signs[i].threshold[first + c], 0x01010101u << c);
    }
  }
#pragma GCC unroll 2
  for (std::size_t i = 0; i < ways; ++i) {
    const Binarize::Signs& signs = step.signs[i];
    const Bytes inverted = broadcast_bytes(signs.inverted[plane] * 0x01010101u);
    std::uint8_t* out = byte_plane(frame, signs.output, plane) + pixel;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < vectors; ++v)
      store_bytes(out + v * byte_lanes, xor_bytes(order_marks(bits[v][i]), inverted));
  }
}

template <std::size_t ways>
void binarize_plane(const Binarize& step, const Frame& frame, std::size_t plane, Range some) {
  constexpr std::size_t many = 4;
  std::size_t pixel = some.begin;
  for (; pixel + many * byte_lanes <= some.end; pixel += many * byte_lanes)
    binarize_vectors<ways, many>(step, frame, plane, pixel);
  for (; pixel < some.end; pixel += byte_lanes)
    binarize_vectors<ways, 1>(step, frame, plane, pixel);
}

void binarize_planes(const Binarize& step, const Frame& frame, Range planes, Range some) {
  for (std::size_t plane = planes.begin; plane < planes.end; ++plane) {
    if (step.count == 2) {
      binarize_plane<2>(step, frame, plane, some);
    } else {
      binarize_plane<1>(step, frame, plane, some);
    }
  }
}

// Units count through the planes of one strip of pixels after the other, as in a convolution, so
// that a thread finds in its cache what it wrote; alone it takes whole planes.
void binarize(const Binarize& step, const Frame& frame, Range range) {
  constexpr std::size_t strip = binary_vectors * byte_lanes;
  const Planes& in = planes_of(frame, step.input);
  const std::size_t planes = (in.channels + bits_per_plane - 1) / bits_per_plane;
  const std::size_t strips = (pixels(in) + strip - 1) / strip;
  if (range.end - range.begin == planes * strips)
    return binarize_planes(step, frame, {0, planes}, {0, pixels(in)});
  for_each_strip(range, planes, [&](std::size_t index, Range some) {
    const std::size_t first = index * strip;
    binarize_planes(step, frame, some, {first, smaller(first + strip, pixels(in))});
  });
}

void affine(const Affine& step, const Frame& frame, Range range) {
  const std::size_t count = planes_of(frame, step.input).stride;
  for (std::size_t c = range.begin; c < range.end; ++c) {
    const Floats scale = broadcast_float(step.scale[c]);
    const Floats shift = broadcast_float(step.shift[c]);
    const float* in = float_plane(frame, step.input, c);
    float* out = float_plane(frame, step.output, c);
    for (std::size_t i = 0; i < count; i += float_lanes) {
      store_floats(out + i, add_floats(mul_floats(load_floats(in + i), scale), shift));
    }
  }
}

void relu(const Relu& step, const Frame& frame, Range range) {
  const std::size_t count = planes_of(frame, step.input).stride;
  for (std::size_t c = range.begin; c < range.end; ++c) {
    const float* in = float_plane(frame, step.input, c);
    float* out = float_plane(frame, step.output, c);
    for (std::size_t i = 0; i < count; i += float_lanes)
      store_floats(out + i, relu_floats(load_floats(in + i)));
  }
}

void add_slice(const AddSlice& step, const Frame& frame, Range range) {
  const std::size_t count = planes_of(frame, step.addend).stride;
  for (std::size_t c = range.begin; c < range.end; ++c) {
    const float* in = float_plane(frame, step.addend, c);
    float* out = float_plane(frame, step.output, step.at + c);
    for (std::size_t i = 0; i < count; i += float_lanes) {
      store_floats(out + i, add_floats(load_floats(out + i), load_floats(in + i)));
    }
  }
}

void copy_planes(const CopyPlanes& step, const Frame& frame, Range range) {
  const std::size_t bytes = planes_of(frame, step.input).stride * sizeof(float);
  for (std::size_t c = range.begin; c < range.end; ++c) {
    float* out = float_plane(frame, step.output, step.at + c);
    if (step.index != nullptr && step.index[c] < 0) {
      std::memset(out, 0, bytes);
    } else {
      const std::size_t from = step.index != nullptr ? static_cast<std::size_t>(step.index[c]) : c;
      std::memcpy(out, float_plane(frame, step.input, from), bytes);
    }
  }
}
