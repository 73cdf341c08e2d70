#include "core/build/fuse/fuse.h"

#include <algorithm>
#include <utility>

namespace bnas {

std::vector<std::size_t> readers_of(const std::vector<Step>& steps, ValueId id) {
  std::vector<std::size_t> readers;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::vector<ValueId>& reads = steps[i].reads;
    if (std::find(reads.begin(), reads.end(), id) != reads.end()) readers.push_back(i);
  }
  return readers;
}

void add_run_step(Draft& draft, std::size_t behind, Step step) {
  step.when = When::run;
  std::vector<Step>& steps = draft.steps();
  steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(behind) + 1, std::move(step));
}

bool fuse(Draft& draft, ValueId output) {
  const bool pools = fuse_pools(draft, output);
  return fuse_signs(draft, output) || pools;
}

}  // namespace bnas
