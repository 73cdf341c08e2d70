#include "core/run/wait.h"

#include <thread>

namespace bnas {
namespace {

constexpr unsigned pauses_at_most = 4000;  // some tens of microseconds: a step is shorter

}  // namespace

void pause_briefly() {
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void Spin::pause() {
  if (++pauses_ < pauses_at_most) return pause_briefly();
  std::this_thread::yield();
}

}  // namespace bnas
