// Weights and constants from the file's layout into the kernels'; no checks of sizes (build/
// does them). Those of binary convolutions are in binary.h.
#pragma once

#include "core/buffer.h"
#include "core/build/geometry.h"
#include "core/build/spec.h"

namespace bnas {

struct QuadShape {
  std::size_t outputs, channels, taps;
  std::size_t groups() const { return divide_up(channels, channels_per_quad); }
};

// (O, K) rows to [tile of `tile` outputs][k][output of the tile], each section in tiles of its own.
const float* tile_weights(const float* rows, const Sections& sections, std::size_t k,
                          std::size_t tile, Tables& tables);

// (O, K) rows to [block of linear_block outputs][k][output of the block], zeros up to `padded`
// outputs.
const float* transpose_weights(const float* rows, std::size_t outputs, std::size_t k,
                               std::size_t padded, Tables& tables);

// A bias of `count` outputs, zeros where there is none, padded with zeros.
const float* pad_bias(Array<float> bias, std::size_t padded, Tables& tables);

// How the weights of an 8-bit convolution are cut up.
struct QuadTile {
  std::size_t outputs, rows;
};

// Rows of bytes, (c, ky, kx), to [tile of outputs][block of rows (group, tap)][output of the
// tile][row of the block], each the weights of a group's four channels, zero beyond the last. May
// be read as if the last tile were whole.
const std::uint32_t* tile_quads(const std::int8_t* rows, const QuadShape& shape,
                                const QuadTile& tile, Tables& tables);

// The quads that an image of zeros is quantized to, [group].
const std::uint32_t* quantized_zeros(Array<float> input_zero, Tables& tables);

// int32 thresholds t as 16-bit s, twice: dot >= t if and only if dot > s, for every |dot| <= 32767.
const std::uint32_t* pair_limits(Array<std::int32_t> threshold, Tables& tables);

// The complement of packed flips, a byte for 8 channels, each section beginning a new byte; zero
// beyond its last channel.
const std::uint8_t* invert_flips(const std::uint64_t* flip, const Sections& sections,
                                 Tables& tables);

constexpr std::size_t planes_for(std::size_t channels) {
  return divide_up(channels, bits_per_plane);
}

// Where a channel's bit lies when each section begins a new plane.
constexpr std::size_t place_of(const Sections& sections, std::size_t channel) {
  return channel / sections.outputs * planes_for(sections.outputs) * bits_per_plane +
         channel % sections.outputs;
}

}  // namespace bnas
