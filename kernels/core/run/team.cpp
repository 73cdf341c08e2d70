#include "core/run/team.h"

namespace bnas {

void Team::begin(std::size_t members) {
  members_ = members;
  joined_.store(1, std::memory_order_relaxed);
  offer_.store(0, std::memory_order_relaxed);
}

std::uint64_t Team::offer_of(std::size_t step, std::size_t shares) {
  return static_cast<std::uint64_t>(step + 1) << 32 |
         (all_taken & ~((std::uint64_t{1} << shares) - 1));
}

bool Team::take(std::size_t step, std::size_t index) {
  const std::uint64_t bit = std::uint64_t{1} << index;
  std::uint64_t offer = offer_.load(std::memory_order_relaxed);
  while (offer >> 32 == step + 1 && (offer & bit) == 0) {
    if (offer_.compare_exchange_weak(offer, offer | bit, std::memory_order_acquire,
                                     std::memory_order_relaxed))
      return true;
  }
  return false;
}

}  // namespace bnas
