// Steps that are done together, where nobody else asks for the values between them. The steps that
// make those values are kept for traces.
#pragma once

#include <utility>
#include <vector>

#include "core/build/draft.h"

namespace bnas {

// Called when all steps are there. Returns whether some steps are for runs or traces only.
bool fuse(Draft& draft, ValueId output);

// What the functions share that look for one kind of steps each.
struct Fusion {
  Draft& draft;
  ValueId output;
  std::vector<std::vector<std::size_t>> readers;  // [value] the steps that read it
  // Steps for runs, each with the step behind which it comes; added to the draft at the end, so
  // that nothing moves before.
  std::vector<std::pair<std::size_t, Step>> added;

  void add_run_step(std::size_t behind, Step step);
};

// A max pool right behind a binary convolution.
void fuse_pools(Fusion& fusion);
// Signs of what an 8-bit convolution makes.
void fuse_signs(Fusion& fusion);

}  // namespace bnas
