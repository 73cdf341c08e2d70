// The kernels that were compiled, best first, and whether this machine can run them.
#pragma once

#include <string>
#include <vector>

#include "core/kernels.h"

namespace bnas {

struct Isa {
  const Kernels* kernels;
  std::vector<std::string>
      missing;  // features that the CPU or the operating system lacks; empty: it runs
};

const std::vector<Isa>& isas();

// Binary multiply-accumulates a second of a loop of xor, popcount and add on registers: the
// machine's limit.
double popcount_peak(const Kernels& kernels, double milliseconds);

}  // namespace bnas
