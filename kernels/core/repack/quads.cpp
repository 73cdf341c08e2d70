#include "core/repack/quads.h"

#include <algorithm>

namespace bnas {
namespace {

constexpr float greatest_activation = 127.0f;

// The weights of one output, plane and tap.
std::uint32_t weight_quad(const std::int8_t* row, const QuadShape& shape, std::size_t plane,
                          std::size_t tap) {
  const std::size_t first = plane * channels_per_quad;
  const std::size_t count = std::min(channels_per_quad, shape.channels - first);
  std::uint32_t quad = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto byte = static_cast<std::uint8_t>(row[(first + i) * shape.taps + tap]);
    quad |= std::uint32_t{byte} << 8 * i;
  }
  return quad;
}

// What x = 0 is quantized to; rounds to even by itself, as the caller's rounding mode is unknown.
std::uint32_t quantized_zero(float input_zero) {
  const float t = std::min(std::max(input_zero, 0.0f), greatest_activation);
  const auto floor = static_cast<std::uint32_t>(t);
  const float rest = t - static_cast<float>(floor);
  return floor + (rest > 0.5f || (rest == 0.5f && floor % 2 == 1) ? 1 : 0);
}

}  // namespace

const std::uint32_t* tile_quads(const std::int8_t* rows, const QuadShape& shape,
                                const QuadTile& tile, Tables& tables) {
  const std::size_t k = shape.channels * shape.taps, quads = shape.planes() * shape.taps;
  const std::size_t padded = round_up(quads, tile.rows);
  auto* tiles = tables.allocate<std::uint32_t>(
      sum(product(shape.outputs, padded), tile.outputs * (tile.rows - 1)));
  for (std::size_t o = 0; o < shape.outputs; ++o) {
    const std::size_t first = o / tile.outputs * tile.outputs;
    const std::size_t count = std::min(tile.outputs, shape.outputs - first);
    std::uint32_t* column = tiles + first * padded + (o - first) * tile.rows;
    for (std::size_t i = 0; i < quads; ++i) {
      column[i / tile.rows * tile.rows * count + i % tile.rows] =
          weight_quad(rows + o * k, shape, i / shape.taps, i % shape.taps);
    }
  }
  return tiles;
}

// The first taps have rows; the channels of the others go into the free bytes, one after the other.
FilledQuads fill_quads(const std::int8_t* rows, const QuadShape& shape) {
  const std::size_t count = divide_up(shape.channels * shape.taps, channels_per_quad);
  const std::size_t others = (shape.taps - count) * shape.channels;
  FilledQuads filled;
  for (std::size_t r = 0; r < count; ++r) {
    const std::size_t tap = count + r / shape.channels, channel = r % shape.channels;
    const bool free = r >= others;
    filled.fills.push_back({static_cast<std::uint32_t>(r),
                            static_cast<std::uint32_t>(free ? r : tap),
                            static_cast<std::uint32_t>(24 - 8 * channel), free ? 0 : 0xff000000u});
  }
  for (std::size_t o = 0; o < shape.outputs; ++o) {
    const std::int8_t* row = rows + o * shape.channels * shape.taps;
    for (std::size_t c = 0; c < shape.channels; ++c)
      filled.weights.insert(filled.weights.end(), row + c * shape.taps,
                            row + c * shape.taps + count);
    for (std::size_t r = 0; r < count; ++r) {
      const std::size_t at = r % shape.channels * shape.taps + count + r / shape.channels;
      filled.weights.push_back(r < others ? row[at] : std::int8_t{0});
    }
  }
  return filled;
}

const std::uint32_t* quantized_zeros(Array<float> input_zero, Tables& tables) {
  auto* quads = tables.allocate<std::uint32_t>(divide_up(input_zero.size, channels_per_quad));
  for (std::size_t c = 0; c < input_zero.size; ++c)
    quads[c / channels_per_quad] |= quantized_zero(input_zero.data[c])
                                    << 8 * (c % channels_per_quad);
  return quads;
}

}  // namespace bnas
