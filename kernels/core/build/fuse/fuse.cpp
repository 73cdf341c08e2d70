#include "core/build/fuse/fuse.h"

#include <algorithm>
#include <iterator>

namespace bnas {
namespace {

std::vector<std::vector<std::size_t>> find_readers(Draft& draft) {
  const std::vector<Step>& steps = draft.steps();
  std::vector<std::vector<std::size_t>> readers(draft.value_count());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const ValueId id : steps[i].reads) {
      if (readers[id].empty() || readers[id].back() != i) readers[id].push_back(i);
    }
  }
  return readers;
}

std::vector<Step> merge(std::vector<Step>& steps,
                        std::vector<std::pair<std::size_t, Step>>& added) {
  std::stable_sort(added.begin(), added.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Step> all;
  all.reserve(steps.size() + added.size());
  auto next = added.begin();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    all.push_back(std::move(steps[i]));
    for (; next != added.end() && next->first == i; ++next) all.push_back(std::move(next->second));
  }
  return all;
}

}  // namespace

void Fusion::add_run_step(std::size_t behind, Step step) {
  step.when = When::run;
  added.emplace_back(behind, std::move(step));
}

bool fuse(Draft& draft, ValueId output) {
  Fusion fusion{draft, output, find_readers(draft), {}};
  fuse_pools(fusion);
  fuse_signs(fusion);
  if (fusion.added.empty()) return false;
  draft.steps() = merge(draft.steps(), fusion.added);
  return true;
}

}  // namespace bnas
