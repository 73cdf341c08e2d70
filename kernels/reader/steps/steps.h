// The steps that a program may have: one rule each, which reads the step's fields, checks them, and
// returns what adds it to a draft of the engine's model.
//
// To add a step: one function and one row of a table, both in one file of this folder. Every field
// of the step must be read, and every rule of bnas_deploy/format/steps/ and limits.py must have its
// counterpart; tests/c_api compares both readers on the programs of
// tests/support/random_programs.py.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/build/draft.h"
#include "reader/container.h"
#include "reader/steps/scope.h"

namespace bnas {

using AddStep = std::function<void(Draft&)>;

template <class Spec>
AddStep adds(const Spec& spec) {
  return [spec](Draft& draft) { draft.add(spec); };
}

struct StepRule {
  const char* op;
  Version since;
  AddStep (*read)(StepReader& s);
};

// Of single values, of float windows, of binary convolutions.
const std::vector<StepRule>& plain_steps();
const std::vector<StepRule>& window_steps();
const std::vector<StepRule>& binary_steps();

// Null where there is no such step.
const StepRule* rule_for(std::string_view op);

// That of the newest step.
Version newest_version();

// Channels at … at + part.channels - 1 of `whole` take `part`.
void require_slice(StepReader& s, const Shape& whole, const Shape& part, std::int64_t at);

}  // namespace bnas
