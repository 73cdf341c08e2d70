// Binary convolution of each channel alone: differing bits of the eight channels of a byte plane,
// counted for one vector of pixels at a time. The stages are those of stage-inl.h.
//
// Counts are bit-sliced: digit d of a byte holds bit d of the counts of eight channels, and a tap
// is added to all eight by carrying through the digits.

constexpr std::size_t most_digits = 8;
constexpr std::size_t taps_at_a_time = 255;  // what that many digits can count

// Adds the bits of `taps` gathered vectors that differ from the weights.
template <std::size_t digits>
void count_sliced(const std::uint8_t* gathered, const std::uint8_t* weights, std::size_t taps,
                  std::uint8_t* sliced) {
  Bytes count[digits];
  for (Bytes& x : count) x = zero_bytes();
  for (std::size_t t = 0; t < taps; ++t, gathered += byte_lanes) {
    Bytes carry = xor_bytes(load_bytes(gathered), broadcast_bytes(weights[t] * 0x01010101u));
#pragma GCC unroll 8
    for (std::size_t d = 0; d < digits; ++d) {
      const Bytes next = count[d] & carry;
      count[d] = xor_bytes(count[d], carry);
      carry = next;
    }
  }
  for (std::size_t d = 0; d < digits; ++d) store_bytes(sliced + d * byte_lanes, count[d]);
}

// Takes twice the counts of `taps` gathered vectors, fewer than 2^digits, from the dots.
template <std::size_t outputs, std::size_t digits>
void subtract_counts(const std::uint8_t* gathered, const std::uint8_t* weights, std::size_t taps,
                     std::int16_t* dots) {
  alignas(64) std::uint8_t sliced[digits][byte_lanes];
  alignas(64) std::uint8_t counts[byte_lanes];
  count_sliced<digits>(gathered, weights, taps, sliced[0]);
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t i = 0; i < byte_lanes; ++i) {
      unsigned count = 0;
      for (std::size_t d = 0; d < digits; ++d) count |= (sliced[d][i] >> o & 1u) << d;
      counts[i] = static_cast<std::uint8_t>(count);
    }
    std::int16_t* even = dots + o * byte_lanes;
    std::int16_t* odd = even + half_lanes;
    for (std::size_t i = 0; i < half_lanes; ++i) {
      even[i] = static_cast<std::int16_t>(even[i] - 2 * counts[2 * i]);
      odd[i] = static_cast<std::int16_t>(odd[i] - 2 * counts[2 * i + 1]);
    }
  }
}

template <std::size_t outputs>
void subtract_some(const std::uint8_t* gathered, const std::uint8_t* weights, std::size_t taps,
                   std::int16_t* dots) {
  if (taps < 16) {
    subtract_counts<outputs, 4>(gathered, weights, taps, dots);
  } else if (taps < 32) {
    subtract_counts<outputs, 5>(gathered, weights, taps, dots);
  } else {
    subtract_counts<outputs, most_digits>(gathered, weights, taps, dots);
  }
}

template <std::size_t outputs>
void depthwise_tile(const BinaryConv& conv, const Frame& frame, const std::uint8_t* gathered,
                    const Tile& tile) {
  const std::size_t taps = conv.taps.taps;
  const std::size_t pattern = conv.taps.pattern[tile.first_vector];
  std::memcpy(tile.dots, conv.base + (pattern * conv.outputs + tile.first_output) * byte_lanes,
              outputs * byte_lanes * sizeof(std::int16_t));
  const std::uint8_t* weights = conv.weights + tile.first_output / bits_per_plane * taps;
  for (std::size_t done = 0; done < taps; done += taps_at_a_time) {
    subtract_some<outputs>(gathered + done * byte_lanes, weights + done,
                           smaller(taps_at_a_time, taps - done), tile.dots);
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
                     {o, smaller(bits_per_plane, conv.outputs - o), plane, v, nullptr, dots});
    }
  }
}
