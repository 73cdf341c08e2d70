// What dot products of binary convolutions are computed from: dot = base - 2 count.
#pragma once

#include <cstdint>
#include <vector>

#include "core/build/geometry.h"
#include "core/build/spec.h"
#include "core/repack/binary.h"
#include "core/tables.h"

namespace bnas {

// Greatest |dot| that the weights and folds of any output allow.
std::int64_t dot_bound(Array<std::int32_t> fold, const BinaryShape& shape);

// What the counts of differing bits are taken from: dot = base - 2 count.
class DotBase {
 public:
  // `rows`: packed weights; `fold` may be empty.
  DotBase(const std::uint64_t* rows, Array<std::int32_t> fold, const BinaryShape& shape,
          const Geometry& geometry, std::size_t lanes);

  // [pattern][output][even lanes, odd lanes], modulo 2^16: only dot itself has to fit.
  const std::int16_t* words(Tables& tables) const;

  // [pattern][vector of outputs][even lanes, odd lanes], where each pixel has a pattern: made for
  // one lane.
  const std::int16_t* turned_words(std::size_t lanes, Tables& tables) const;

  // The room of a stage, [pattern][output][lane] (steps.h: BinaryConv), empty where bytes cannot
  // hold it. Outputs that are marked whatever the count have their bit in `inverted` toggled.
  std::vector<std::uint8_t> rooms(const StageSpec& stage, std::uint8_t* inverted) const;

 private:
  // Rows and columns of the window: top <= ky < bottom, left <= kx < right.
  struct Part {
    std::uint32_t top, bottom, left, right;
  };

  std::vector<Part> parts_inside(const Geometry& geometry) const;
  void forget_lanes_behind_the_image(const Geometry& geometry);
  bool threshold_rooms(const StageSpec& stage, std::uint8_t* inverted, std::uint8_t* rooms) const;
  bool scale_rooms(const StageSpec& stage, std::uint8_t* rooms) const;

  BinaryShape shape_;
  std::size_t patterns_, lanes_;
  std::vector<std::int32_t> base_;  // [pattern][output][lane]
};

}  // namespace bnas
