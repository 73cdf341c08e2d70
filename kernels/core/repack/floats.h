// Weights of layers in full precision from the file's layout into the kernels'.
#pragma once

#include "core/build/spec.h"
#include "core/tables.h"

namespace bnas {

// (O, K) rows to [tile of `tile` outputs][k][output of the tile], each section in tiles of its own.
const float* tile_weights(const float* rows, const Sections& sections, std::size_t k,
                          std::size_t tile, Tables& tables);

// (O, K) rows to [block of linear_block outputs][k][output of the block], zeros up to `padded`
// outputs.
const float* transpose_weights(const float* rows, std::size_t outputs, std::size_t k,
                               std::size_t padded, Tables& tables);

// A bias, zeros where there is none, padded with zeros.
const float* pad_bias(Array<float> bias, std::size_t padded, Tables& tables);

}  // namespace bnas
