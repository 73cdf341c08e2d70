// Convolution of activations of 7 bits with weights of 8: exact sums of 32 bits, scaled to floats.
// Lanes are output pixels, so that sums never run across lanes.

// The planes from p on, as many as are gathered at a time.
QuadChunk gather_chunk(const QuantizedConv& conv, const Frame& frame, std::size_t p,
                       std::size_t first, std::size_t vectors) {
  auto* in = reinterpret_cast<std::uint32_t*>(frame.scratch);
  const std::size_t rows = conv.plane_rows;
  const std::size_t count = smaller(conv.chunk, conv.planes - p);
  const std::uint32_t* planes = quad_plane(frame, conv.input, p);
  if (conv.fills != nullptr) {
    gather_filled_quads(conv, planes, first, vectors, in);
  } else {
    const std::size_t stride = planes_of(frame, conv.input).stride;
    gather_quads(conv.taps, {planes, stride, count}, conv.outside + p, first, vectors, in);
  }
  return {in, p * rows, count * rows, first, p + count == conv.planes};
}

template <std::size_t vectors>
void quantized_strip(const QuantizedConv& conv, const Frame& frame, std::size_t first,
                     Range tiles) {
  for (std::size_t p = 0; p < conv.planes; p += conv.chunk) {
    const QuadChunk chunk = gather_chunk(conv, frame, p, first, vectors);
    quantized_outputs<vectors>(conv, frame, chunk, tiles);
  }
}

template <std::size_t vectors>
void quantized_vectors(const QuantizedConv& conv, const Frame& frame, Range some, Range tiles) {
  if (some.end - some.begin == vectors) {
    quantized_strip<vectors>(conv, frame, some.begin, tiles);
  } else if constexpr (vectors > 1) {
    quantized_vectors<vectors - 1>(conv, frame, some, tiles);
  }
}

// Strips are evened out, as for floats.
void quantized_conv(const QuantizedConv& conv, const Frame& frame, Range range) {
  const std::size_t vectors = conv.taps.vectors;
  const std::size_t strips = (vectors + quad_vectors - 1) / quad_vectors;
  for (std::size_t strip = 0; strip < strips; ++strip) {
    quantized_vectors<quad_vectors>(conv, frame, even_part(vectors, strip, strips), range);
  }
}
