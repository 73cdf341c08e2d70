#include "dispatch/clock.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bnas {

#if defined(__x86_64__) || defined(__aarch64__)

namespace {

constexpr std::size_t rounds = 10000, additions = 16;  // in a round

// The sum is in a register, not a constant: recent cores do additions of constants while renaming.
std::uint64_t add_in_a_chain(std::uint64_t step) {
  std::uint64_t x = step;
  for (std::size_t i = 0; i < rounds; ++i) {
#if defined(__x86_64__)
    asm volatile(".rept 16\n\tadd %1, %0\n\t.endr" : "+r"(x) : "r"(step) : "cc");
#else
    asm volatile(".rept 16\n\tadd %0, %0, %1\n\t.endr" : "+r"(x) : "r"(step));
#endif
  }
  return x;
}

}  // namespace

double clock_rate(double milliseconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double, std::milli>(milliseconds);
  double best = 0.0;
  do {
    const auto start = Clock::now();
    add_in_a_chain(3);
    const std::chrono::duration<double> passed = Clock::now() - start;
    best = std::max(best, static_cast<double>(rounds * additions) / passed.count());
  } while (Clock::now() < end);
  return best;
}

#else

double clock_rate(double) { return 0.0; }

#endif

}  // namespace bnas
