#include "reader/steps.h"

namespace bnas {

const StepRule* rule_for(std::string_view op) {
  for (const auto* rules : {&plain_steps(), &window_steps(), &binary_steps()}) {
    for (const StepRule& rule : *rules) {
      if (op == rule.op) return &rule;
    }
  }
  return nullptr;
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
