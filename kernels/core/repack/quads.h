// Weights and constants of 8-bit convolutions from the file's layout into the kernels'.
#pragma once

#include <vector>

#include "core/build/spec.h"
#include "core/sizes.h"
#include "core/tables.h"

namespace bnas {

struct QuadShape {
  std::size_t outputs, channels, taps;
  std::size_t planes() const { return divide_up(channels, channels_per_quad); }
};

// How the weights of an 8-bit convolution are cut up.
struct QuadTile {
  std::size_t outputs, rows;
};

// Rows of bytes, (c, ky, kx), to [tile of outputs][block of rows (plane, tap)][output of the
// tile][row of the block], each the weights of a plane's four channels, zero beyond the last. May
// be read as if the last tile were whole.
const std::uint32_t* tile_quads(const std::int8_t* rows, const QuadShape& shape,
                                const QuadTile& tile, Tables& tables);

// A convolution of three channels in quads without free bytes: a quarter fewer rows.
struct FilledQuads {
  std::vector<QuadFill> fills;       // [row]
  std::vector<std::int8_t> weights;  // [output][byte of a quad][row], as of four channels
};

FilledQuads fill_quads(const std::int8_t* rows, const QuadShape& shape);

// The quads that an image of zeros is quantized to, [plane].
const std::uint32_t* quantized_zeros(Array<float> input_zero, Tables& tables);

}  // namespace bnas
