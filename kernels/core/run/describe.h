// Which kernel runs each step of a model, for people to read.
#pragma once

#include <cstddef>
#include <vector>

#include "core/run/model.h"

namespace bnas {

struct KernelUse {
  std::size_t program_step;
  const char* kernel;  // as in the table of kernels, and how it ends where there is a choice
  const char* gather;  // how its taps come together; empty: it has none
  // Computed at a time: outputs x vectors of so many pixels; 0 where there is no such tile.
  std::size_t outputs, vectors, lanes;
};

// In the order in which they run. A step that is not there has nothing left to do.
std::vector<KernelUse> describe(const Model::Parts& parts);

}  // namespace bnas
