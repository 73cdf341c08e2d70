#include "reader/steps/steps.h"

#include <algorithm>

namespace bnas {
namespace {

const std::vector<StepRule>& all_steps() {
  static const std::vector<StepRule> all = [] {
    std::vector<StepRule> rules;
    for (const auto* some : {&plain_steps(), &window_steps(), &binary_steps()})
      rules.insert(rules.end(), some->begin(), some->end());
    return rules;
  }();
  return all;
}

}  // namespace

const StepRule* rule_for(std::string_view op) {
  for (const StepRule& rule : all_steps()) {
    if (op == rule.op) return &rule;
  }
  return nullptr;
}

Version newest_version() {
  Version newest{1, 0};
  for (const StepRule& rule : all_steps()) newest = std::max(newest, rule.since);
  return newest;
}

void require_slice(StepReader& s, const Shape& whole, const Shape& part, std::int64_t at) {
  s.require(whole.height == part.height && whole.width == part.width,
            "cannot add the pixels of " + text_of(part) + " to " + text_of(whole) +
                "; they must be equal");
  const auto room =
      static_cast<std::int64_t>(whole.channels) - static_cast<std::int64_t>(part.channels);
  s.require(at >= 0 && at <= room, "field 'at': " + std::to_string(part.channels) +
                                       " channels at " + std::to_string(at) +
                                       " do not lie within " + std::to_string(whole.channels));
}

}  // namespace bnas
