// Binary convolution with outputs in the lanes: a vector of weights meets one pixel's byte at a
// time. What has few pixels fills its lanes so. Counting is that of generic/binary_conv-inl.h, with
// weights and pixels in each other's place.

#include "isa/avx512_outputs-inl.h"

constexpr std::size_t turned_pixels = bits_per_plane;  // at a time
constexpr std::size_t block_lanes = binary_vectors * byte_lanes;

// A few pixels, and a block of outputs of which `outputs` exist.
struct TurnedTile {
  const std::uint32_t* pixels;  // [step][pixel] as load_weight wants them
  OutputTile at;
};

std::size_t padded_outputs(const BinaryConv& conv) {
  return (conv.outputs + byte_lanes - 1) / byte_lanes * byte_lanes;
}

// Bytes of the pixels from `first` on, of a vector of gathered ones, each made into what
// load_weight wants.
std::uint32_t* encode_pixels(const BinaryConv& conv, const Frame& frame, Gathered in,
                             std::size_t first, std::size_t count) {
  std::uint8_t* bytes = frame.scratch + conv.steps * block_lanes;
  for (std::size_t s = 0; s < conv.steps; ++s)  // what is too much is written over
    std::memcpy(bytes + s * count, in.bytes + s * in.step + first, turned_pixels);
  const std::size_t size = conv.steps * turned_pixels + max_lanes;
  auto* out = reinterpret_cast<std::uint32_t*>(bytes + size / max_lanes * max_lanes);
  encode_weights(bytes, conv.steps * count, out);
  return out;
}

// Dot products in the order of the outputs: [pixel][output of the block].
template <std::size_t pixels, std::size_t vectors>
void finish_turned(const TurnedConv& step, const Counts<pixels, vectors>& counts, bool start,
                   const OutputTile& tile, std::int16_t* dots) {
  const std::size_t padded = padded_outputs(step.conv);
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::size_t pattern = step.pattern[tile.first_pixel + i];
    const std::int16_t* base = step.conv.base + pattern * padded + tile.first_output;
    for (std::size_t v = 0; v < vectors; ++v, dots += byte_lanes) {
      const WordPair count = widen(counts.sum[i][v], start, dots);
      const WordPair dot = dot_product(count, load_pair(base + v * byte_lanes));
      store_interleaved(dots, dot.even, dot.odd);
    }
  }
}

template <std::size_t pixels, std::size_t vectors>
void turned_tile(const TurnedConv& step, const Frame& frame, const TurnedTile& tile) {
  const BinaryConv& conv = step.conv;
  alignas(64) std::int16_t dots[pixels * vectors * byte_lanes];
  const std::uint8_t* weights = conv.weights + tile.at.first_output * conv.steps;
  constexpr std::size_t width = vectors * byte_lanes;
  const std::size_t chunks = (conv.steps + steps_per_byte - 1) / steps_per_byte;
  Counts<pixels, vectors> counts{};
  for (std::size_t chunk = 0, done = 0; chunk < chunks; ++chunk) {
    if (chunk > 0) keep_sums(counts, chunk == 1, dots);
    const std::size_t end = conv.steps * (chunk + 1) / chunks;
    count_steps({weights + done * width, width}, tile.pixels + done * pixels, end - done, counts);
    done = end;
  }
  finish_turned(step, counts, chunks == 1, tile.at, dots);
  finish_outputs<pixels, vectors>(conv.stages, conv.stage_count, step.limits, padded_outputs(conv),
                                  frame, tile.at, dots);
}

template <std::size_t pixels = turned_pixels>
void turned_some(const TurnedConv& step, const Frame& frame, const TurnedTile& tile,
                 std::size_t count) {
  if (count == pixels) {
    if (tile.at.outputs > byte_lanes) {
      turned_tile<pixels, binary_vectors>(step, frame, tile);
    } else {
      turned_tile<pixels, 1>(step, frame, tile);
    }
  } else if constexpr (pixels > 1) {
    turned_some<pixels - 1>(step, frame, tile, count);
  }
}

void turned_conv(const TurnedConv& step, const Frame& frame, Range range) {
  const BinaryConv& conv = step.conv;
  const Source<std::uint8_t> source{byte_plane(frame, conv.input, 0),
                                    planes_of(frame, conv.input).stride, conv.planes};
  const std::size_t blocks = (conv.outputs + block_lanes - 1) / block_lanes;
  for_each_strip(range, blocks, [&](std::size_t vector, Range some) {
    const std::size_t first = vector * byte_lanes;
    Gathered in{source.planes + first, source.stride};
    if (conv.taps.gather != Gather::direct) {
      in = {frame.scratch, byte_lanes};
      gather(conv.taps, source, vector, 1, frame.scratch, {conv.planes * in.step, in.step});
    }
    const std::size_t end = smaller(byte_lanes, step.pixels - first);
    for (std::size_t pixel = 0; pixel < end; pixel += turned_pixels) {
      const std::size_t count = smaller(turned_pixels, end - pixel);
      const std::uint32_t* pixels = encode_pixels(conv, frame, in, pixel, count);
      for (std::size_t block = some.begin; block < some.end; ++block) {
        const std::size_t o = block * block_lanes;
        turned_some(step, frame,
                    {pixels, {first + pixel, o, smaller(block_lanes, conv.outputs - o)}}, count);
      }
    }
  });
}
