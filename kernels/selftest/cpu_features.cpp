// Compares what cpu_has says of this machine with what the compiler's library says, and what it
// says of imagined machines with what they have. Exits with 1 where they differ.
#include <cstdio>
#include <cstring>

#include "dispatch/cpu.h"

#if defined(__x86_64__)
namespace {

constexpr std::uint64_t saves_ymm = 0x06, saves_zmm = 0xe6;

// AVX10 without a single bit of AVX-512, its registers 512 or 256 bits wide.
template <unsigned widths>
bool avx10(unsigned leaf, unsigned subleaf, unsigned r[4]) {
  std::memset(r, 0, 4 * sizeof *r);
  if (leaf == 7 && subleaf == 1) r[3] = 1u << 19;
  if (leaf == 0x24 && subleaf == 0) r[1] = 1 | widths << 16;
  return leaf <= 0x24;
}

// A processor without AVX-512 that has VNNI for 256 bits.
bool client(unsigned leaf, unsigned subleaf, unsigned r[4]) {
  std::memset(r, 0, 4 * sizeof *r);
  if (leaf == 7 && subleaf == 1) r[0] = 1u << 4;
  if (leaf == 7 && subleaf == 0) r[1] = 1u << 5;
  return leaf <= 0x20;
}

int differs(const char* feature, bnas::Cpuid cpuid, std::uint64_t saved, bool want) {
  if (bnas::cpu_has(feature, cpuid, saved) == want) return 0;
  std::printf("%s on an imagined machine: expected %d\n", feature, want);
  return 1;
}

int imagined() {
  int wrong = 0;
  for (const char* feature : {"avx512f", "avx512bw", "avx512bitalg", "avx512vnni"}) {
    wrong += differs(feature, avx10<7>, saves_zmm, true);
    wrong += differs(feature, avx10<7>, saves_ymm, false);
    wrong += differs(feature, avx10<3>, saves_zmm, false);
    wrong += differs(feature, client, saves_zmm, false);
  }
  wrong += differs("amx-int8", avx10<7>, ~std::uint64_t{0}, false);
  wrong += differs("avx2", client, saves_ymm, true);
  wrong += differs("avxvnni", client, saves_ymm, true);
  wrong += differs("avxvnni", client, 0, false);
  return wrong;
}

}  // namespace
#endif

int main() {
  int wrong = bnas::cpu_has("no such feature") ? 1 : 0;
#if defined(__x86_64__) && !defined(_WIN32)  // where Zig's library says no to all
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
#if defined(__x86_64__)
  wrong += imagined();
#endif
  return wrong == 0 ? 0 : 1;
}
