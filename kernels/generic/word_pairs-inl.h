// Binary convolution that counts in lanes of 16 bits, which never overflow, where many steps need
// more than bytes: two steps, one byte plane at one tap each, are a pair, and the even pixels of a
// vector meet both at once, then the odd ones.
//
// Scratch layout: [pair][even pixels, odd pixels][vector][lane], where the two steps lay.

constexpr std::size_t paired_outputs = 4;  // whose counts the registers hold at a time

// Bytes of two steps, of which the second may be missing, to words.
void pair_steps(Gathered in, std::size_t steps, std::size_t vectors, std::uint8_t* out) {
  const std::size_t width = vectors * byte_lanes;
  for (std::size_t s = 0; s < steps; s += 2, out += 2 * width) {
    for (std::size_t v = 0; v < width; v += byte_lanes) {
      const std::uint8_t* first = in.bytes + s * in.step + v;
      const BytePair x =
          pair_bytes(load_bytes(first), s + 1 < steps ? load_bytes(first + in.step) : zero_bytes());
      store_words(reinterpret_cast<std::int16_t*>(out + v), x.even);
      store_words(reinterpret_cast<std::int16_t*>(out + width + v), x.odd);
    }
  }
}

// Weight bytes [step][output of the tile] as broadcast_words takes them, [pair][output]. Writes up
// to eight weights behind the last.
void encode_pairs(const std::uint8_t* in, std::size_t steps, std::size_t outputs,
                  std::uint32_t* out) {
  constexpr std::uint8_t none[bits_per_plane] = {};
  for (std::size_t s = 0; s < steps; s += 2, in += 2 * outputs, out += outputs)
    store_weight_pairs(in, s + 1 < steps ? in + outputs : none, out);
}

// Dot products of outputs [first, first + count) of a tile. Not inlined: the counts need nearly all
// registers.
template <std::size_t first, std::size_t count, std::size_t outputs, std::size_t vectors>
[[gnu::noinline]] void count_pairs(const BinaryConv& conv, const std::uint8_t* in,
                                   const Tile& tile) {
  constexpr std::size_t width = vectors * byte_lanes;
  const std::uint32_t* weights = tile.weights + first;
  Words even[count][vectors], odd[count][vectors];
#pragma GCC unroll 8
  for (std::size_t o = 0; o < count; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) even[o][v] = odd[o][v] = even_bytes(zero_bytes());
  }
  for (std::size_t s = 0; s < conv.steps; s += 2, in += 2 * width, weights += outputs) {
    const auto* x = reinterpret_cast<const std::int16_t*>(in);
    Words even_x[vectors], odd_x[vectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) {
      even_x[v] = load_words(x + v * half_lanes);
      odd_x[v] = load_words(x + (width + v * byte_lanes) / 2);
    }
#pragma GCC unroll 8
    for (std::size_t o = 0; o < count; ++o) {
      const Words w = broadcast_words(weights[o]);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < vectors; ++v) {
        even[o][v] = add_word_differences(even[o][v], even_x[v], w);
        odd[o][v] = add_word_differences(odd[o][v], odd_x[v], w);
      }
    }
  }
#pragma GCC unroll 8
  for (std::size_t v = 0; v < vectors; ++v) {
    const std::size_t pattern = conv.taps.pattern[tile.first_vector + v];
    const std::int16_t* base =
        conv.base + (pattern * conv.outputs + tile.first_output + first) * byte_lanes;
#pragma GCC unroll 8
    for (std::size_t o = 0; o < count; ++o)
      store_pair(tile.dots + ((first + o) * vectors + v) * byte_lanes,
                 dot_product({even[o][v], odd[o][v]}, load_pair(base + o * byte_lanes)));
  }
}

template <std::size_t outputs, std::size_t vectors, std::size_t first = 0>
void count_all_pairs(const BinaryConv& conv, const std::uint8_t* in, const Tile& tile) {
  constexpr std::size_t rest = outputs - first;
  constexpr std::size_t count = rest < paired_outputs ? rest : paired_outputs;
  count_pairs<first, count, outputs, vectors>(conv, in, tile);
  if constexpr (count < rest) count_all_pairs<outputs, vectors, first + count>(conv, in, tile);
}

template <std::size_t vectors, std::size_t outputs = bits_per_plane>
void convolve_paired(const BinaryConv& conv, const Frame& frame, Gathered in, const Tile& tile) {
  if (tile.outputs == outputs) {
    count_all_pairs<outputs, vectors>(conv, in.bytes, tile);
    finish_dots<outputs, vectors>(conv, frame, tile);
  } else if constexpr (outputs > 1) {
    convolve_paired<vectors, outputs - 1>(conv, frame, in, tile);
  }
}
