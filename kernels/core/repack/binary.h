// Weights and constants of binary convolutions into the kernels' layout; no checks of sizes
// (build/ does them).
#pragma once

#include <cstdint>
#include <vector>

#include "core/buffer.h"
#include "core/build/geometry.h"
#include "core/kernels.h"
#include "core/repack/repack.h"
#include "core/build/spec.h"

namespace bnas {

struct BinaryShape {
  std::size_t outputs, channels, taps;  // channels: that an output reads
  std::size_t groups = 1;

  Sections sections() const { return {groups, outputs / groups}; }
};

// Packed rows of bits, (ky, kx, c) with c fastest, to [tile][tap][group][output of the tile] bytes,
// each section in tiles of its own. May be read up to a cache line beyond the last.
const std::uint8_t* tile_bits(const std::uint64_t* rows, const BinaryShape& shape, Tables& tables);

// The same to [block of `block` outputs][tap][group][output of the block] bytes, zero beyond the
// last output; a block of fewer outputs is filled up to `lanes` only.
const std::uint8_t* block_bits(const std::uint64_t* rows, const BinaryShape& shape,
                               std::size_t block, std::size_t lanes, Tables& tables);

// Greatest |dot| that the weights and folds of any output allow.
std::int64_t dot_bound(const BinaryConvSpec& spec, const BinaryShape& shape);

// What the counts of differing bits are taken from: dot = base - 2 count.
class DotBase {
 public:
  DotBase(const BinaryConvSpec& spec, const BinaryShape& shape, const Geometry& geometry,
          std::size_t lanes);

  // [pattern][output][even lanes, odd lanes], modulo 2^16: only dot itself has to fit.
  const std::int16_t* words(Tables& tables) const;

  // [pattern][vector of outputs][even lanes, odd lanes], where each pixel has a pattern: made for
  // one lane.
  const std::int16_t* turned_words(std::size_t lanes, Tables& tables) const;

  // The room of a stage, [pattern][output][lane] (steps.h: BinaryConv), empty where bytes cannot
  // hold it. Outputs that are marked whatever the count have their bit in `inverted` toggled.
  std::vector<std::uint8_t> rooms(const StageSpec& stage, std::uint8_t* inverted) const;

 private:
  void add_tap(const BinaryConvSpec& spec, const Geometry& geometry, std::size_t output,
               std::size_t tap);
  void forget_lanes_behind_the_image(const Geometry& geometry);
  bool threshold_rooms(const StageSpec& stage, std::uint8_t* inverted, std::uint8_t* rooms) const;
  bool scale_rooms(const StageSpec& stage, std::uint8_t* rooms) const;

  BinaryShape shape_;
  std::size_t patterns_, lanes_;
  std::vector<std::int32_t> base_;  // [pattern][output][lane]
};

}  // namespace bnas
