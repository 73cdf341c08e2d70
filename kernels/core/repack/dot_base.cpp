#include "core/repack/dot_base.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/repack/rows.h"

namespace bnas {
namespace {

std::int32_t fold_at(Array<std::int32_t> fold, const BinaryShape& shape, std::size_t output,
                     std::size_t tap) {
  return fold.size != 0 ? fold.data[output * shape.taps + tap] : 0;
}

std::int32_t count_bits(const std::uint64_t* row, std::size_t first, std::size_t count) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < count; i += 64)
    sum += __builtin_popcountll(bits_at(row, first + i, std::min<std::size_t>(64, count - i)));
  return sum;
}

bool even_or_negative(std::int32_t base) { return base <= 0 || base % 2 == 0; }

}  // namespace

std::int64_t dot_bound(Array<std::int32_t> fold, const BinaryShape& shape) {
  std::int64_t bound = 0;
  for (std::size_t o = 0; o < (fold.size != 0 ? shape.outputs : 1); ++o) {
    auto sum = static_cast<std::int64_t>(shape.taps * shape.channels);
    for (std::size_t tap = 0; tap < shape.taps; ++tap)
      sum += std::abs(static_cast<std::int64_t>(fold_at(fold, shape, o, tap)));
    bound = std::max(bound, sum);
  }
  return bound;
}

// A tap outside the image finds activation bytes of zero, so the count includes the bits p of its
// weights:
//   dot = sum over taps inside (C + fold - 2 count) = base - 2 count,
//   base = sum over taps inside (C + fold) + sum over taps outside 2 p.
// The taps inside are a part of the window, whose sum comes from sums over all parts that begin
// with the first tap, so that large windows take no longer than their outputs.
DotBase::DotBase(const std::uint64_t* rows, Array<std::int32_t> fold, const BinaryShape& shape,
                 const Geometry& geometry, std::size_t lanes)
    : shape_(shape),
      patterns_(geometry.patterns),
      lanes_(lanes),
      base_(product(geometry.patterns, shape.outputs, lanes)) {
  const std::size_t words = words_for(shape.taps * shape.channels);
  const std::size_t kernel_w = geometry.kernel_w, row = kernel_w + 1;
  const std::vector<Part> parts = parts_inside(geometry);
  std::vector<std::int32_t> sums((shape.taps / kernel_w + 1) * row);  // [rows][columns] of a part
  for (std::size_t o = 0; o < shape.outputs; ++o) {
    std::int32_t outside = 0;  // of all taps
    for (std::size_t tap = 0; tap < shape.taps; ++tap) {
      const std::int32_t twice =
          2 * count_bits(rows + o * words, tap * shape.channels, shape.channels);
      const std::int32_t more =
          static_cast<std::int32_t>(shape.channels) + fold_at(fold, shape, o, tap) - twice;
      const std::size_t at = (tap / kernel_w + 1) * row + tap % kernel_w + 1;
      sums[at] = more + sums[at - 1] + sums[at - row] - sums[at - row - 1];
      outside += twice;
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Part& part = parts[i];
      const std::int32_t* top = sums.data() + part.top * row;
      const std::int32_t* bottom = sums.data() + part.bottom * row;
      base_[(i / lanes * shape.outputs + o) * lanes + i % lanes] =
          outside + bottom[part.right] - bottom[part.left] - top[part.right] + top[part.left];
    }
  }
  forget_lanes_behind_the_image(geometry);
}

// [pattern][lane]; where no tap is inside, a part without any.
std::vector<DotBase::Part> DotBase::parts_inside(const Geometry& geometry) const {
  std::vector<Part> parts(product(patterns_, lanes_), Part{0, 0, 0, 0});
  for (std::size_t p = 0; p < patterns_; ++p) {
    for (std::size_t tap = 0; tap < shape_.taps; ++tap) {
      const auto ky = static_cast<std::uint32_t>(tap / geometry.kernel_w);
      const auto kx = static_cast<std::uint32_t>(tap % geometry.kernel_w);
      for (std::uint64_t lanes = geometry.inside[p * shape_.taps + tap]; lanes != 0;
           lanes &= lanes - 1) {
        Part& part = parts[p * lanes_ + static_cast<std::size_t>(__builtin_ctzll(lanes))];
        if (part.bottom == 0) part = {ky, ky, kx, kx};  // taps come row by row
        part.bottom = ky + 1;
        part.right = std::max(part.right, kx + 1);
      }
    }
  }
  return parts;
}

// Nobody reads those lanes; what they hold must not keep a stage from looking at bytes.
void DotBase::forget_lanes_behind_the_image(const Geometry& geometry) {
  const std::size_t used = geometry.pixels % lanes_;
  const std::uint32_t last = geometry.pattern.back();
  if (used == 0 || std::count(geometry.pattern.begin(), geometry.pattern.end(), last) != 1) return;
  for (std::size_t o = 0; o < shape_.outputs; ++o) {
    std::int32_t* sums = base_.data() + (last * shape_.outputs + o) * lanes_;
    std::fill(sums + used, sums + lanes_, sums[0]);
  }
}

const std::int16_t* DotBase::words(Tables& tables) const {
  auto* words = tables.allocate<std::int16_t>(base_.size());
  for (std::size_t row = 0; row < base_.size(); row += lanes_) {
    for (std::size_t i = 0; i < lanes_; ++i)
      words[row + i % 2 * (lanes_ / 2) + i / 2] = static_cast<std::int16_t>(base_[row + i]);
  }
  return words;
}

const std::int16_t* DotBase::turned_words(std::size_t lanes, Tables& tables) const {
  const std::size_t padded = round_up(shape_.outputs, lanes);
  auto* words = tables.allocate<std::int16_t>(product(patterns_, padded));
  for (std::size_t p = 0; p < patterns_; ++p) {
    for (std::size_t o = 0; o < shape_.outputs; ++o) {
      const std::size_t lane = o % lanes;
      words[p * padded + o - lane + lane % 2 * (lanes / 2) + lane / 2] =
          static_cast<std::int16_t>(base_[p * shape_.outputs + o]);
    }
  }
  return words;
}

std::vector<std::uint8_t> DotBase::rooms(const StageSpec& stage, std::uint8_t* inverted) const {
  std::vector<std::uint8_t> rooms(base_.size());
  const bool fit = stage.kind == Stage::Kind::threshold
                       ? threshold_rooms(stage, inverted, rooms.data())
                       : scale_rooms(stage, rooms.data());
  if (!fit) rooms.clear();
  return rooms;
}

// dot >= t if and only if count < floor((base - t) / 2) + 1.
bool DotBase::threshold_rooms(const StageSpec& stage, std::uint8_t* inverted,
                              std::uint8_t* rooms) const {
  const auto most = static_cast<std::int64_t>(shape_.taps * shape_.channels);  // of all counts
  std::vector<bool> sometimes(shape_.outputs, false), marked(shape_.outputs, false);
  for (std::size_t row = 0; row < patterns_ * shape_.outputs; ++row) {
    const std::size_t o = row % shape_.outputs;
    const std::int64_t t = stage.threshold.data[o];
    for (std::size_t i = row * lanes_; i < (row + 1) * lanes_; ++i) {
      const std::int64_t room = ((base_[i] - t) >> 1) + 1;  // rounds down
      const bool always = room > most;
      if (!always && room > 255) return false;
      (always ? marked : sometimes)[o] = true;
      rooms[i] = static_cast<std::uint8_t>(always ? 255 : std::max<std::int64_t>(room, 0));
    }
  }
  for (std::size_t o = 0; o < shape_.outputs; ++o) {
    if (!marked[o] || most < 255) continue;  // 255 is more than any count
    if (sometimes[o]) return false;
    for (std::size_t p = 0; p < patterns_; ++p)
      std::fill_n(rooms + (p * shape_.outputs + o) * lanes_, lanes_, std::uint8_t{0});
    const std::size_t place = place_of(shape_.sections(), o);
    inverted[place / 8] = static_cast<std::uint8_t>(inverted[place / 8] ^ 1u << place % 8);
  }
  return true;
}

// Twice the room is the base, and ReLU(dot * scale) is max(room - count, 0) * 2 scale: the same
// real number, rounded once, as long as 2 scale is finite and nothing is odd.
bool DotBase::scale_rooms(const StageSpec& stage, std::uint8_t* rooms) const {
  if (!stage.relu || stage.shift.size != 0) return false;
  for (std::size_t o = 0; o < shape_.outputs; ++o) {
    const float twice = 2 * stage.scale.data[o];
    if (std::signbit(twice) || !std::isfinite(twice)) return false;
  }
  for (std::size_t i = 0; i < base_.size(); ++i) {
    if (!even_or_negative(base_[i]) || base_[i] > 510) return false;
    rooms[i] = static_cast<std::uint8_t>(std::max(base_[i], 0) / 2);
  }
  return true;
}

}  // namespace bnas
