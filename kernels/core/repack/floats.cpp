#include "core/repack/floats.h"

#include <algorithm>

#include "core/sizes.h"

namespace bnas {

const float* tile_weights(const float* rows, const Sections& sections, std::size_t k,
                          std::size_t tile, Tables& tables) {
  const std::size_t outputs = sections.count * sections.outputs;
  auto* tiles = tables.allocate<float>(product(outputs, k));
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
  auto* columns = tables.allocate<float>(product(k, padded));
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

}  // namespace bnas
