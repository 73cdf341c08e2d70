// What the processor and the operating system allow.
#pragma once

#include <cstdint>
#include <string>

namespace bnas {

// Whether the CPU has `feature` (a GCC flag without -m, such as "avx512bw") and the operating
// system saves the registers that it needs. Unknown names are features that the CPU does not have.
bool cpu_has(const std::string& feature);

#if defined(__x86_64__) || defined(_M_X64)
// The registers eax, ebx, ecx, edx of a leaf; false where there is no such leaf.
using Cpuid = bool (*)(unsigned leaf, unsigned subleaf, unsigned registers[4]);

// The same for a processor, real or imagined; `saved`: XCR0, the registers that the operating
// system saves. The process's permission to use tiles is not asked for.
bool cpu_has(const std::string& feature, Cpuid cpuid, std::uint64_t saved);
#endif

}  // namespace bnas
