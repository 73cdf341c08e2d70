// Convolution of activations of 7 bits with weights of 8: exact sums of 32 bits, scaled to floats.
// Lanes are output pixels, so that sums never run across lanes. Not the tiles themselves.

template <std::size_t vectors>
void quantized_group(const QuantizedConv& conv, const Frame& frame, std::size_t first,
                     Range tiles) {
  auto* in = reinterpret_cast<std::uint32_t*>(frame.scratch);
  const std::size_t taps = conv.taps.taps;
  const std::size_t stride = planes_of(frame, conv.input).stride;
  for (std::size_t g = 0; g < conv.groups; g += conv.chunk) {
    const std::size_t count = smaller(conv.chunk, conv.groups - g);
    gather_quads(conv.taps, {quad_plane(frame, conv.input, g), stride, count}, conv.outside + g,
                 first, vectors, in);
    quantized_outputs<vectors>(
        conv, frame, {in, g * taps, count * taps, first, g + count == conv.groups}, tiles);
  }
}

template <std::size_t vectors>
void quantized_vectors(const QuantizedConv& conv, const Frame& frame, Range some, Range tiles) {
  if (some.end - some.begin == vectors) {
    quantized_group<vectors>(conv, frame, some.begin, tiles);
  } else if constexpr (vectors > 1) {
    quantized_vectors<vectors - 1>(conv, frame, some, tiles);
  }
}

// Groups are evened out, as for floats.
void quantized_conv(const QuantizedConv& conv, const Frame& frame, Range range) {
  const std::size_t vectors = conv.taps.vectors;
  const std::size_t groups = (vectors + quad_vectors - 1) / quad_vectors;
  for (std::size_t group = 0; group < groups; ++group) {
    const Range pixels{vectors * group / groups, vectors * (group + 1) / groups};
    quantized_vectors<quad_vectors>(conv, frame, pixels, range);
  }
}
