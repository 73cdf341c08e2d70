// Weights and thresholds of binary layers from the file's layout into the kernels'.
#pragma once

#include <cstdint>

#include "core/build/spec.h"
#include "core/sizes.h"
#include "core/tables.h"

namespace bnas {

struct BinaryShape {
  std::size_t outputs, channels, taps;  // channels: that an output reads
  std::size_t groups = 1;

  Sections sections() const { return {groups, outputs / groups}; }
};

constexpr std::size_t planes_for(std::size_t channels) {
  return divide_up(channels, bits_per_plane);
}

// Where a channel's bit lies when each section begins a new plane.
constexpr std::size_t place_of(const Sections& sections, std::size_t channel) {
  return channel / sections.outputs * planes_for(sections.outputs) * bits_per_plane +
         channel % sections.outputs;
}

// Packed rows of bits, (ky, kx, c) with c fastest, to [tile][tap][plane][output of the tile] bytes,
// each section in tiles of its own. May be read up to a cache line beyond the last.
const std::uint8_t* tile_bits(const std::uint64_t* rows, const BinaryShape& shape, Tables& tables);

// The same to [block of `block` outputs][tap][plane][output of the block] bytes, zero beyond the
// last output; a block of fewer outputs is filled up to `lanes` only.
const std::uint8_t* block_bits(const std::uint64_t* rows, const BinaryShape& shape,
                               std::size_t block, std::size_t lanes, Tables& tables);

// int32 thresholds t as 16-bit s, twice: dot >= t if and only if dot > s, for every |dot| <= 32767.
const std::uint32_t* pair_limits(Array<std::int32_t> threshold, Tables& tables);

// The complement of packed flips, a byte for 8 channels, each section beginning a new byte; zero
// beyond its last channel.
const std::uint8_t* invert_flips(const std::uint64_t* flip, const Sections& sections,
                                 Tables& tables);

// Packed bits as bytes of eight channels, zero beyond the last; all zero where there are none.
const std::uint8_t* bytes_of_bits(Array<std::uint64_t> bits, std::size_t channels, Tables& tables);

}  // namespace bnas
