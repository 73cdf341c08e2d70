// Binary convolution: popcounts of 8 outputs for a few vectors of pixels at a time.
//
// One step is one byte plane at one tap. Counts gather in bytes, at most 31 steps of 8 bits (248 <
// 256), and move on to 16-bit sums, which may wrap: only dot = base - 2 popcount must fit.

// Gathered bytes of a strip of vectors: those of step s and vector v at bytes + s * step + v *
// byte_lanes.
struct Gathered {
  const std::uint8_t* bytes;
  std::size_t step;
};

// Outputs [first, first + count) of a tile: as many as the registers hold.
template <std::size_t first, std::size_t count, std::size_t outputs, std::size_t vectors>
void count_outputs(Gathered in, const std::uint32_t* weights, std::size_t steps,
                   Counts<outputs, vectors>& counts) {
  Bytes sum[count][vectors];
  for (auto& row : sum) {
    for (Bytes& x : row) x = zero_bytes();
  }
  for (std::size_t s = 0; s < steps; ++s) {
    Pixels x[vectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v)
      x[v] = prepare_pixels(load_bytes(in.bytes + v * byte_lanes));
#pragma GCC unroll 8
    for (std::size_t o = 0; o < count; ++o) {
      const Weight w = load_weight(weights + first + o);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < vectors; ++v) sum[o][v] = add_differences(sum[o][v], x[v], w);
    }
    in.bytes += in.step;
    weights += outputs;
  }
#pragma GCC unroll 8
  for (std::size_t o = 0; o < count; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) counts.sum[first + o][v] = sum[o][v];
  }
}

template <std::size_t outputs, std::size_t vectors, std::size_t first = 0>
void count_steps(Gathered in, const std::uint32_t* weights, std::size_t steps,
                 Counts<outputs, vectors>& counts) {
  constexpr std::size_t rest = outputs - first;
  constexpr std::size_t count = rest < counted_outputs ? rest : counted_outputs;
  count_outputs<first, count>(in, weights, steps, counts);
  if constexpr (count < rest)
    count_steps<outputs, vectors, first + count>(in, weights, steps, counts);
}

// Even and odd lanes, 16 bits each.
struct WordPair {
  Words even, odd;
};

WordPair load_pair(const std::int16_t* p) { return {load_words(p), load_words(p + half_lanes)}; }

void store_pair(std::int16_t* p, WordPair x) {
  store_words(p, x.even);
  store_words(p + half_lanes, x.odd);
}

// The counts so far: those in bytes, and those in 16-bit sums unless this is the start.
WordPair widen(Bytes counts, bool start, const std::int16_t* sums) {
  const WordPair x{even_bytes(counts), odd_bytes(counts)};
  if (start) return x;
  const WordPair before = load_pair(sums);
  return {add_words(x.even, before.even), add_words(x.odd, before.odd)};
}

WordPair dot_product(WordPair count, WordPair base) {
  return {sub_words(sub_words(base.even, count.even), count.even),
          sub_words(sub_words(base.odd, count.odd), count.odd)};
}

template <std::size_t outputs, std::size_t vectors>
void keep_sums(const Counts<outputs, vectors>& counts, bool start, std::int16_t* sums) {
#pragma GCC unroll 8
  for (std::size_t o = 0; o < outputs; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v, sums += byte_lanes) {
      store_pair(sums, widen(counts.sum[o][v], start, sums));
    }
  }
}

// Turns the sums, with the last counts added, into dot products.
template <std::size_t outputs, std::size_t vectors>
void finish_sums(const BinaryConv& conv, const Counts<outputs, vectors>& counts, bool start,
                 const Tile& tile) {
#pragma GCC unroll 8
  for (std::size_t v = 0; v < vectors; ++v) {
    const std::size_t pattern = conv.taps.pattern[tile.first_vector + v];
    const std::int16_t* base =
        conv.base + (pattern * conv.outputs + tile.first_output) * byte_lanes;
#pragma GCC unroll 8
    for (std::size_t o = 0; o < outputs; ++o) {
      std::int16_t* dots = tile.dots + (o * vectors + v) * byte_lanes;
      const WordPair count = widen(counts.sum[o][v], start, dots);
      store_pair(dots, dot_product(count, load_pair(base + o * byte_lanes)));
    }
  }
}

// Scratch memory behind the gathered bytes, for weights as load_weight wants them. The model keeps
// them as they are: four times as many would come from far away, and be used a few times an image.
std::uint32_t* weights_memory(const BinaryConv& conv, const Frame& frame) {
  constexpr std::size_t gathered = binary_vectors * byte_lanes;
  return reinterpret_cast<std::uint32_t*>(frame.scratch + (conv.steps + 1) * gathered);
}

#include "generic/single_stage-inl.h"

template <std::size_t outputs, std::size_t vectors>
void convolve_tile(const BinaryConv& conv, const Frame& frame, Gathered in, const Tile& tile) {
  const std::uint32_t* weights = tile.weights;
  const std::size_t chunks = (conv.steps + steps_per_byte - 1) / steps_per_byte;
  Counts<outputs, vectors> counts{};
  for (std::size_t chunk = 0, done = 0; chunk < chunks; ++chunk) {
    if (chunk > 0 && conv.bytewise) keep_counts(counts, chunk - 1, tile);
    if (chunk > 0 && !conv.bytewise) keep_sums(counts, chunk == 1, tile.dots);
    const std::size_t end = conv.steps * (chunk + 1) / chunks;
    count_steps({in.bytes + done * in.step, in.step}, weights + done * outputs, end - done, counts);
    done = end;
  }
  if (conv.bytewise) {
    finish_counts(conv, frame, counts, chunks - 1, tile);
  } else {
    finish_sums(conv, counts, chunks == 1, tile);
    finish_dots<outputs, vectors>(conv, frame, tile);
  }
}

template <std::size_t vectors, std::size_t outputs = 8>
void convolve_some(const BinaryConv& conv, const Frame& frame, Gathered in, const Tile& tile) {
  if (tile.outputs == outputs) {
    // Tiles that are not full are few, and need no code of their own.
    if (outputs == bits_per_plane && keeps_counts_in_registers(conv))
      return single_stage_tile<bits_per_plane, vectors>(conv, frame, in, tile);
    convolve_tile<outputs, vectors>(conv, frame, in, tile);
  } else if constexpr (outputs > 1) {
    convolve_some<vectors, outputs - 1>(conv, frame, in, tile);
  }
}

#ifdef BNAS_WORD_PAIRS
#include "generic/word_pairs-inl.h"
constexpr bool counts_pairs = true;
#else
constexpr bool counts_pairs = false;
void pair_steps(Gathered, std::size_t, std::size_t, std::uint8_t*) {}
void encode_pairs(const std::uint8_t*, std::size_t, std::size_t, std::uint32_t*) {}
template <std::size_t vectors>
void convolve_paired(const BinaryConv&, const Frame&, Gathered, const Tile&) {}
#endif

// The weights of a tile from output `first` on, as the counting wants them.
void encode_tile(const BinaryConv& conv, std::size_t first, std::size_t count,
                 std::uint32_t* weights) {
  const std::uint8_t* in = conv.weights + first * conv.steps;
  if (counts_pairs && conv.paired) {
    encode_pairs(in, conv.steps, count, weights);
  } else {
    encode_weights(in, count * conv.steps, weights);
  }
}

// The weights of all tiles, each at its first output times the steps.
void encode_all(const BinaryConv& conv, std::uint32_t* weights) {
  if (!(counts_pairs && conv.paired))
    return encode_weights(conv.weights, conv.outputs * conv.steps, weights);
  for (std::size_t section = 0; section < conv.sections.count; ++section) {
    for (std::size_t done = 0; done < conv.sections.outputs; done += bits_per_plane) {
      const std::size_t o = section * conv.sections.outputs + done;
      encode_tile(conv, o, smaller(bits_per_plane, conv.sections.outputs - done),
                  weights + o * conv.steps);
    }
  }
}

// Part of a convolution: vectors of pixels from `first` on, and tiles of outputs.
struct Part {
  std::size_t first;
  Range tiles;
  bool encoded;  // whether the weights of all tiles lie in scratch memory
};

template <std::size_t vectors>
void convolve_section(const BinaryConv& conv, const Frame& frame, Part part, std::size_t section) {
  const std::size_t first = part.first;
  alignas(64) std::int16_t dots[bits_per_plane * vectors * byte_lanes];
  const Source<std::uint8_t> source{byte_plane(frame, conv.input, section * conv.planes),
                                    planes_of(frame, conv.input).stride, conv.planes};
  Gathered in{source.planes + first * byte_lanes, source.stride};
  if (conv.taps.gather != Gather::direct) {
    in = {frame.scratch, vectors * byte_lanes};
    gather(conv.taps, source, first, vectors, frame.scratch, {conv.planes * in.step, in.step});
  }
  const bool paired = counts_pairs && conv.paired;
  if (paired) {
    pair_steps(in, conv.steps, vectors, frame.scratch);
    in = {frame.scratch, vectors * byte_lanes};
  }
  const std::size_t first_plane = section * section_tiles(conv.sections, bits_per_plane);
  for (std::size_t tile = part.tiles.begin; tile < part.tiles.end; ++tile) {
    const std::size_t done = tile * bits_per_plane;
    const std::size_t o = section * conv.sections.outputs + done;
    const std::size_t count = smaller(bits_per_plane, conv.sections.outputs - done);
    std::uint32_t* weights = weights_memory(conv, frame) + (part.encoded ? o * conv.steps : 0);
    if (!part.encoded) encode_tile(conv, o, count, weights);
    const Tile some{o, count, first_plane + tile, first, weights, dots};
    if (paired) {
      convolve_paired<vectors>(conv, frame, in, some);
    } else {
      convolve_some<vectors>(conv, frame, in, some);
    }
  }
}

template <std::size_t vectors>
void convolve_strip(const BinaryConv& conv, const Frame& frame, Part part) {
  for_each_section(
      conv.sections, bits_per_plane, part.tiles, [&](std::size_t section, Range tiles) {
        convolve_section<vectors>(conv, frame, {part.first, tiles, part.encoded}, section);
      });
}

template <std::size_t vectors>
void convolve_vectors(const BinaryConv& conv, const Frame& frame, Part part, std::size_t count) {
  if (count == vectors) {
    convolve_strip<vectors>(conv, frame, part);
  } else if constexpr (vectors > 1) {
    convolve_vectors<vectors - 1>(conv, frame, part, count);
  }
}

void binary_conv(const BinaryConv& conv, const Frame& frame, Range range) {
  const std::size_t tiles = conv.sections.count * section_tiles(conv.sections, bits_per_plane);
  const bool encoded = range.end - range.begin > tiles;
  if (encoded) encode_all(conv, weights_memory(conv, frame));
  for_each_strip(range, tiles, [&](std::size_t strip, Range some) {
    const std::size_t first = strip * binary_vectors;
    convolve_vectors<binary_vectors>(conv, frame, {first, some, encoded},
                                     smaller(binary_vectors, conv.taps.vectors - first));
  });
}
