// The kernels that were compiled, best first, whether this machine can run them, and the choice of
// one set.
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

// The kernels to use: those called `name`, or, where it is null, those that the environment
// variable BNAS_ISA names, or the best that this machine can run. Throws std::invalid_argument,
// with the names that there are, where it cannot run them.
const Kernels& choose_kernels(const char* name);

// The same among `known`, best first; null is the best.
const Kernels& choose_among(const std::vector<Isa>& known, const char* name);

// Binary multiply-accumulates a second of a loop of xor, popcount and add on registers: the
// machine's limit.
double popcount_peak(const Kernels& kernels, double milliseconds);

}  // namespace bnas
