// Compares what cpu_has says of this machine with what the compiler's library says. Exits with 1
// where they differ.
#include <cstdio>

#include "dispatch/cpu.h"

int main() {
  int wrong = bnas::cpu_has("no such feature") ? 1 : 0;
#if defined(__x86_64__)
#define BNAS_CHECK(name)                                                                     \
  if (bnas::cpu_has(name) != (__builtin_cpu_supports(name) != 0)) {                          \
    std::printf("%s: the compiler's library says %d\n", name, __builtin_cpu_supports(name)); \
    ++wrong;                                                                                 \
  }
  BNAS_CHECK("fma")
  BNAS_CHECK("avx2")
  BNAS_CHECK("avxvnni")
  BNAS_CHECK("avx512f")
  BNAS_CHECK("avx512dq")
  BNAS_CHECK("avx512bw")
  BNAS_CHECK("avx512vl")
  BNAS_CHECK("avx512vnni")
  BNAS_CHECK("avx512bitalg")
  BNAS_CHECK("avx512vpopcntdq")
#undef BNAS_CHECK
#endif
  return wrong == 0 ? 0 : 1;
}
