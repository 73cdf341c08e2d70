// What the processor and the operating system allow.
#pragma once

#include <string>

namespace bnas {

// Whether the CPU has `feature` (a GCC flag without -m, such as "avx512bw") and the operating
// system saves the registers that it needs. Unknown names are features that the CPU does not have.
bool cpu_has(const std::string& feature);

}  // namespace bnas
