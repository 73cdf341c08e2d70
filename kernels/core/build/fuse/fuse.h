// Steps that are done together, where nobody else asks for the values between them. The steps that
// make those values are kept for traces.
#pragma once

#include "core/build/draft.h"

namespace bnas {

// Called when all steps are there. Returns whether some steps are for runs or traces only.
bool fuse(Draft& draft, ValueId output);

// For the functions that look for one kind of steps each; they return whether there were some:

// A max pool right behind a binary convolution.
bool fuse_pools(Draft& draft, ValueId output);
// Signs of what an 8-bit convolution makes.
bool fuse_signs(Draft& draft, ValueId output);

// Which steps read a value.
std::vector<std::size_t> readers_of(const std::vector<Step>& steps, ValueId id);

// Adds a step for runs behind another one.
void add_run_step(Draft& draft, std::size_t behind, Step step);

}  // namespace bnas
