#include "core/build/arena.h"

#include <algorithm>

#include "core/sizes.h"

namespace bnas {
namespace {

constexpr std::size_t most_gaps = 4096;  // buffers between which gaps are looked for

std::size_t power_of_two(std::size_t least) {
  std::size_t n = 1;
  while (n < least) n *= 2;
  return n;
}

}  // namespace

Arena::Arena(std::size_t steps)
    : any_(2 * power_of_two(steps), 0),
      all_(2 * power_of_two(steps), 0),
      leaves_(power_of_two(steps)) {}

std::size_t Arena::place(const Life& life, std::size_t bytes) {
  const bool gaps = placed_.size() < most_gaps;
  const std::size_t start = gaps ? lowest_gap(life, bytes) : top_of(life);
  const std::size_t end = sum(start, bytes);
  if (gaps) {
    const auto after =
        std::upper_bound(placed_.begin(), placed_.end(), start,
                         [](std::size_t at, const Placed& other) { return at < other.start; });
    placed_.insert(after, {life, start, end});
  }
  raise(life, end);
  bytes_ = std::max(bytes_, end);
  return start;
}

std::size_t Arena::lowest_gap(const Life& life, std::size_t bytes) const {
  std::size_t offset = 0;
  for (const Placed& other : placed_) {
    if (!other.life.overlaps(life)) continue;
    if (offset + bytes <= other.start) break;
    offset = std::max(offset, other.end);
  }
  return offset;
}

// Both walk up from the two ends of the life: the nodes between them cover it, and what lies above
// those holds for all below.
std::size_t Arena::top_of(const Life& life) const {
  std::size_t top = 0, left = life.first + leaves_, right = life.last + leaves_;
  top = std::max({top, any_[left], any_[right]});
  for (; left != 0; left /= 2, right /= 2) {
    if (left / 2 != right / 2) {
      if (left % 2 == 0) top = std::max(top, any_[left + 1]);
      if (right % 2 == 1) top = std::max(top, any_[right - 1]);
    }
    top = std::max({top, all_[left], all_[right]});
  }
  return top;
}

void Arena::raise(const Life& life, std::size_t end) {
  std::size_t left = life.first + leaves_, right = life.last + leaves_;
  const auto cover = [&](std::size_t node) {
    any_[node] = std::max(any_[node], end);
    all_[node] = std::max(all_[node], end);
  };
  cover(left);
  cover(right);
  for (; left > 1; left /= 2, right /= 2) {
    if (left / 2 != right / 2) {
      if (left % 2 == 0) cover(left + 1);
      if (right % 2 == 1) cover(right - 1);
    }
    any_[left / 2] = std::max(any_[left / 2], end);
    any_[right / 2] = std::max(any_[right / 2], end);
  }
}

}  // namespace bnas
