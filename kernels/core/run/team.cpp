#include "core/run/team.h"

#include <thread>

namespace bnas {
namespace {

constexpr unsigned pauses_at_most = 4000;  // some tens of microseconds: a step is shorter

void pause_briefly() {
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void Team::Patience::pause() {
  if (++pauses_ < pauses_at_most) return pause_briefly();
  std::this_thread::yield();
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
