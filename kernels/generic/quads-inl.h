// What every kind of 8-bit tile shares: the quads of a strip of pixels brought together in scratch
// memory, and their sums put away. Scratch layout: [plane][tap][vector][lane].

// Rows (plane, tap) from `begin` on, gathered at `in`; and where their sums go.
struct QuadChunk {
  const std::uint32_t* in;
  std::size_t begin, rows;
  std::size_t first_vector;
  bool last;
};

void gather_shifted_quads(const Taps& taps, Source<std::uint32_t> source,
                          const std::uint32_t* outside, std::size_t first, std::size_t vectors,
                          std::uint32_t* out) {
  for (std::size_t v = 0; v < vectors; ++v) {
    const std::uint64_t* inside = taps.inside + taps.pattern[first + v] * taps.taps;
    for (std::size_t t = 0; t < taps.taps; ++t) {
      // A tap that no pixel has inside the image may lie far outside the memory.
      const std::ptrdiff_t shift =
          inside[t] != 0 ? static_cast<std::ptrdiff_t>((first + v) * float_lanes) + taps.offset[t]
                         : 0;
      const std::uint32_t* in = source.planes + shift;
      std::uint32_t* to = out + (t * vectors + v) * float_lanes;
      for (std::size_t g = 0; g < source.count; ++g) {
        copy_quads(to + g * taps.taps * vectors * float_lanes, in + g * source.stride, inside[t],
                   outside[g]);
      }
    }
  }
}

// One plane, its free bytes filled with other taps: see QuadFill.
void gather_filled_quads(const QuantizedConv& conv, const std::uint32_t* plane, std::size_t first,
                         std::size_t vectors, std::uint32_t* out) {
  const Taps& taps = conv.taps;
  for (std::size_t v = 0; v < vectors; ++v) {
    const std::uint64_t* inside = taps.inside + taps.pattern[first + v] * taps.taps;
    const std::uint32_t* in = plane + (first + v) * float_lanes;
    const auto copy_tap = [&](std::uint32_t tap, std::uint32_t* to) {
      // A tap that no pixel has inside the image may lie far outside the memory.
      copy_quads(to, inside[tap] != 0 ? in + taps.offset[tap] : plane, inside[tap],
                 conv.outside[0]);
    };
    for (std::size_t r = 0; r < conv.plane_rows; ++r) {
      const QuadFill fill = conv.fills[r];
      alignas(64) std::uint32_t tap[float_lanes], other[float_lanes];
      copy_tap(fill.tap, tap);
      copy_tap(fill.other, other);
      std::uint32_t* to = out + (r * vectors + v) * float_lanes;
      for (std::size_t i = 0; i < float_lanes; ++i)
        to[i] = tap[i] | (other[i] << fill.left & fill.kept);
    }
  }
}

void gather_quads(const Taps& taps, Source<std::uint32_t> source, const std::uint32_t* outside,
                  std::size_t first, std::size_t vectors, std::uint32_t* out) {
  if (taps.gather != Gather::rows)
    return gather_shifted_quads(taps, source, outside, first, vectors, out);
  const std::size_t row = vectors * float_lanes;
  for (std::size_t g = 0; g < source.count; ++g) {
    const Source<std::uint32_t> plane{source.planes + g * source.stride, 0, 1};
    gather_rows(taps, plane, first, vectors, out + g * taps.taps * row, {row, 0}, outside[g]);
  }
}

// The rows of weights that belong to a tile's part of a chunk; `outputs` of the tile.
const std::uint32_t* chunk_weights(const QuantizedConv& conv, const QuadChunk& chunk,
                                   std::size_t first_output, std::size_t outputs) {
  return conv.weights + first_output * conv.rows + chunk.begin * outputs;
}

float* chunk_output(const QuantizedConv& conv, const Frame& frame, const QuadChunk& chunk,
                    std::size_t output) {
  return float_plane(frame, conv.output, output) + chunk.first_vector * float_lanes;
}

// What sums begin with. Between chunks they lie, still 32-bit integers, where the floats will.
Sums first_sums(const QuantizedConv& conv, const QuadChunk& chunk, std::size_t output,
                const float* out) {
  return chunk.begin == 0 ? broadcast_sum(conv.offset[output]) : load_sums(out);
}
