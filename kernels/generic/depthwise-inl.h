// Binary convolution of each channel alone: differing bits of the eight channels of a byte plane,
// counted for one vector of pixels at a time. The stages are those of stage-inl.h.

constexpr std::size_t taps_per_byte = 255;  // counts gather in bytes

// Takes twice the counts of `taps` gathered vectors from the dots.
template <std::size_t outputs>
void subtract_counts(const std::uint8_t* gathered, const std::uint32_t* weights, std::size_t taps,
                     std::int16_t* dots) {
  alignas(64) std::uint8_t counts[outputs][byte_lanes] = {};
  for (std::size_t t = 0; t < taps; ++t, gathered += byte_lanes) {
    const auto weight = static_cast<std::uint8_t>(weights[t]);
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t i = 0; i < byte_lanes; ++i) {
        const unsigned differ = (static_cast<unsigned>(gathered[i] ^ weight) >> o) & 1u;
        counts[o][i] = static_cast<std::uint8_t>(counts[o][i] + differ);
      }
    }
  }
  for (std::size_t o = 0; o < outputs; ++o) {
    std::int16_t* even = dots + o * byte_lanes;
    std::int16_t* odd = even + half_lanes;
    for (std::size_t i = 0; i < half_lanes; ++i) {
      even[i] = static_cast<std::int16_t>(even[i] - 2 * counts[o][2 * i]);
      odd[i] = static_cast<std::int16_t>(odd[i] - 2 * counts[o][2 * i + 1]);
    }
  }
}

template <std::size_t outputs>
void depthwise_tile(const BinaryConv& conv, const Frame& frame, const std::uint8_t* gathered,
                    const Tile& tile) {
  const std::size_t taps = conv.taps.taps;
  const std::size_t pattern = conv.taps.pattern[tile.first_vector];
  std::memcpy(tile.dots, conv.base + (pattern * conv.outputs + tile.first_output) * byte_lanes,
              outputs * byte_lanes * sizeof(std::int16_t));
  const std::uint32_t* weights = conv.weights + tile.first_output / bits_per_plane * taps;
  for (std::size_t done = 0; done < taps; done += taps_per_byte) {
    subtract_counts<outputs>(gathered + done * byte_lanes, weights + done,
                             smaller(taps_per_byte, taps - done), tile.dots);
  }
  finish_dots<outputs, 1>(conv, frame, tile);
}

template <std::size_t outputs = bits_per_plane>
void depthwise_some(const BinaryConv& conv, const Frame& frame, const std::uint8_t* gathered,
                    const Tile& tile) {
  if (tile.outputs == outputs) {
    depthwise_tile<outputs>(conv, frame, gathered, tile);
  } else if constexpr (outputs > 1) {
    depthwise_some<outputs - 1>(conv, frame, gathered, tile);
  }
}

void depthwise_conv(const DepthwiseConv& step, const Frame& frame, Range range) {
  const BinaryConv& conv = step.conv;
  const std::size_t stride = planes_of(frame, conv.input).stride;
  alignas(64) std::int16_t dots[bits_per_plane * byte_lanes];
  for (std::size_t plane = range.begin; plane < range.end; ++plane) {
    const Source<std::uint8_t> source{byte_plane(frame, conv.input, plane), stride, 1};
    const std::size_t o = plane * bits_per_plane;
    for (std::size_t v = 0; v < conv.taps.vectors; ++v) {
      const std::uint8_t* gathered = source.planes + v * byte_lanes;
      if (conv.taps.gather != Gather::direct) {
        gather(conv.taps, source, v, 1, frame.scratch, {byte_lanes, byte_lanes});
        gathered = frame.scratch;
      }
      depthwise_some(conv, frame, gathered,
                     {o, smaller(bits_per_plane, conv.outputs - o), v, dots});
    }
  }
}
