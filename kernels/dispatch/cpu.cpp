#include "dispatch/cpu.h"

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace bnas {

#if defined(__x86_64__) || defined(_M_X64)

namespace {

enum Register { eax, ebx, ecx, edx };

struct Feature {
  const char* name;
  unsigned leaf, subleaf;
  Register reg;
  unsigned bit;
  std::uint64_t saved;  // bits of XCR0: what the operating system must save
};

constexpr std::uint64_t saves_avx = 0x06;     // xmm and ymm
constexpr std::uint64_t saves_avx512 = 0xe6;  // and masks, zmm
constexpr std::uint64_t saves_tiles = 0x60000;
constexpr unsigned osxsave_bit = 27;  // of leaf 1, ecx: xgetbv may be used

// Those of the kernels in isa/ and of the ones that may follow.
constexpr Feature features[] = {
    {"fma", 1, 0, ecx, 12, saves_avx},
    {"avx2", 7, 0, ebx, 5, saves_avx},
    {"avxvnni", 7, 1, eax, 4, saves_avx},
    {"avx512f", 7, 0, ebx, 16, saves_avx512},
    {"avx512dq", 7, 0, ebx, 17, saves_avx512},
    {"avx512bw", 7, 0, ebx, 30, saves_avx512},
    {"avx512vl", 7, 0, ebx, 31, saves_avx512},
    {"avx512vnni", 7, 0, ecx, 11, saves_avx512},
    {"avx512bitalg", 7, 0, ecx, 12, saves_avx512},
    {"avx512vpopcntdq", 7, 0, ecx, 14, saves_avx512},
    {"amx-tile", 7, 0, edx, 24, saves_tiles},
    {"amx-int8", 7, 0, edx, 25, saves_tiles},
};

// Leaves and subleaves that the processor does not have are zero.
bool bit_of(Cpuid cpuid, unsigned leaf, unsigned subleaf, Register reg, unsigned bit) {
  unsigned r[4];
  return cpuid(leaf, subleaf, r) && (r[reg] >> bit & 1);
}

bool own_cpuid(unsigned leaf, unsigned subleaf, unsigned r[4]) {
  return __get_cpuid_count(leaf, subleaf, &r[eax], &r[ebx], &r[ecx], &r[edx]) != 0;
}

// AVX10 with registers of 512 bits contains all of AVX-512 in the table above, whatever the older
// bits say.
bool has_avx10_512(Cpuid cpuid) {
  return bit_of(cpuid, 7, 1, edx, 19) && bit_of(cpuid, 0x24, 0, ebx, 18);
}

std::uint64_t saved_state() {
  if (!bit_of(own_cpuid, 1, 0, ecx, osxsave_bit)) return 0;
  std::uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<std::uint64_t>(high) << 32 | low;
}

// Tile registers are large, so a process must ask Linux before its threads and children may use
// them; asking again does no harm.
bool tiles_allowed() {
#if defined(__linux__)
  constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

}  // namespace

bool cpu_has(const std::string& feature, Cpuid cpuid, std::uint64_t saved) {
  for (const Feature& f : features) {
    if (feature != f.name) continue;
    const bool there = bit_of(cpuid, f.leaf, f.subleaf, f.reg, f.bit) ||
                       (f.saved == saves_avx512 && has_avx10_512(cpuid));
    return there && (saved & f.saved) == f.saved;
  }
  return false;
}

bool cpu_has(const std::string& feature) {
  const bool tiles = feature.compare(0, 4, "amx-") == 0;
  return cpu_has(feature, own_cpuid, saved_state()) && (!tiles || tiles_allowed());
}

#elif defined(__wasm__)

// A machine that lacks an instruction does not load the module.
bool cpu_has(const std::string& feature) { return feature == "simd128"; }

#else

bool cpu_has(const std::string&) {
  return false;
}  // AArch64: NEON is part of the base, nothing is asked for

#endif

}  // namespace bnas
