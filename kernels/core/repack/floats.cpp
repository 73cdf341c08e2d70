#include "core/repack/repack.h"

#include <algorithm>

namespace bnas {
namespace {

bool bit_at(const std::uint64_t* row, std::size_t i) { return row[i / 64] >> i % 64 & 1; }

}  // namespace

const float* tile_weights(const float* rows, const Sections& sections, std::size_t k,
                          std::size_t tile, Tables& tables) {
  const std::size_t outputs = sections.count * sections.outputs;
  auto* tiles = tables.allocate<float>(outputs * k);
  for (std::size_t first = 0, count = 0; first < outputs; first += count) {
    count = std::min(tile, sections.outputs - first % sections.outputs);
    float* tile_rows = tiles + first * k;
    for (std::size_t o = 0; o < count; ++o) {
      const float* row = rows + (first + o) * k;
      for (std::size_t i = 0; i < k; ++i) tile_rows[i * count + o] = row[i];
    }
  }
  return tiles;
}

const float* transpose_weights(const float* rows, std::size_t outputs, std::size_t k,
                               std::size_t padded, Tables& tables) {
  auto* columns = tables.allocate<float>(k * padded);
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::size_t first = o / linear_block * linear_block;
    const std::size_t width = std::min(linear_block, padded - first);
    float* column = columns + first * k + o % linear_block;
    for (std::size_t i = 0; i < k; ++i) column[i * width] = rows[o * k + i];
  }
  return columns;
}

const float* pad_bias(Array<float> bias, std::size_t padded, Tables& tables) {
  auto* values = tables.allocate<float>(padded);
  std::copy(bias.data, bias.data + bias.size, values);
  return values;
}

const std::uint32_t* pair_limits(Array<std::int32_t> threshold, Tables& tables) {
  auto* pairs = tables.allocate<std::uint32_t>(threshold.size);
  for (std::size_t o = 0; o < threshold.size; ++o) {
    const std::int64_t below = static_cast<std::int64_t>(threshold.data[o]) - 1;
    const auto s = static_cast<std::int16_t>(std::clamp<std::int64_t>(below, -32768, 32767));
    pairs[o] = static_cast<std::uint16_t>(s) * 0x10001u;
  }
  return pairs;
}

const std::uint8_t* invert_flips(const std::uint64_t* flip, const Sections& sections,
                                 Tables& tables) {
  auto* bytes = tables.allocate<std::uint8_t>(sections.count * planes_for(sections.outputs));
  for (std::size_t c = 0; c < sections.count * sections.outputs; ++c) {
    const std::size_t place = place_of(sections, c);
    std::uint8_t& byte = bytes[place / bits_per_plane];
    byte = static_cast<std::uint8_t>(byte | (bit_at(flip, c) ? 0u : 1u) << place % bits_per_plane);
  }
  return bytes;
}

}  // namespace bnas
