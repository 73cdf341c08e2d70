#include "core/build/plan.h"

#include <algorithm>
#include <numeric>

#include "core/buffer.h"
#include "core/sizes.h"

namespace bnas {
namespace {

// From the first step that writes a buffer to the last that needs it, both included.
struct Life {
  std::size_t first, last;
  bool overlaps(const Life& other) const { return first <= other.last && other.first <= last; }
};

std::vector<Life> find_lives(std::size_t count, const std::vector<Step>& steps,
                             const std::vector<Step>& constants, ValueId input, ValueId output) {
  std::vector<Life> lives(count, {steps.size(), 0});
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const ValueId id : steps[i].reads) lives[id].last = i;
    for (const ValueId id : steps[i].writes) lives[id] = {std::min(lives[id].first, i), i};
  }
  lives[input].first = 0;
  lives[output].last = steps.size();
  for (const Step& constant : constants) lives[constant.writes[0]] = {0, steps.size()};
  return lives;
}

// Lets values take over buffers; afterwards owner[v] is the value whose buffer v lies in.
std::vector<ValueId> share(const std::vector<Value>& values, std::vector<Step>& steps,
                           std::vector<Life>& lives) {
  std::vector<ValueId> owner(values.size());
  std::iota(owner.begin(), owner.end(), ValueId{0});
  std::vector<Step> kept;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool takes_over = steps[i].in_place && lives[steps[i].reads[0]].last == i;
    if (takes_over) owner[steps[i].writes[0]] = owner[steps[i].reads[0]];
    if (!takes_over || !steps[i].only_copies) kept.push_back(steps[i]);
  }
  for (ValueId v = 0; v < values.size(); ++v) {
    Life& buffer = lives[owner[v]];
    buffer = {std::min(buffer.first, lives[v].first), std::max(buffer.last, lives[v].last)};
  }
  steps = std::move(kept);
  return owner;
}

// A buffer that has its place. All are looked through for every other one, so they lie together.
struct Placed {
  Life life;
  std::size_t start, end;
};

// The lowest place for so many bytes that is free during `life`; `placed` is sorted by start.
std::size_t lowest_gap(const std::vector<Placed>& placed, const Life& life, std::size_t bytes) {
  std::size_t offset = 0;
  for (const Placed& other : placed) {
    if (!other.life.overlaps(life)) continue;
    if (offset + bytes <= other.start) break;
    offset = std::max(offset, other.end);
  }
  return offset;
}

std::size_t bytes_of(const Value& value) {
  const std::size_t element = value.kind == Kind::bits ? 1 : sizeof(float);
  return round_up(product(value.planes.planes, value.planes.stride, element), cache_line);
}

}  // namespace

std::size_t plan(std::vector<Value>& values, std::vector<Step>& steps,
                 const std::vector<Step>& constants, ValueId input, ValueId output) {
  std::vector<Life> lives = find_lives(values.size(), steps, constants, input, output);
  const std::vector<ValueId> owner = share(values, steps, lives);
  std::vector<ValueId> order;
  for (ValueId v = 0; v < values.size(); ++v) {
    if (owner[v] == v) order.push_back(v);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](ValueId a, ValueId b) { return bytes_of(values[a]) > bytes_of(values[b]); });
  std::vector<Placed> placed;
  std::size_t arena = 0;
  for (const ValueId id : order) {
    const std::size_t bytes = bytes_of(values[id]);
    const std::size_t start = lowest_gap(placed, lives[id], bytes);
    values[id].planes.offset = start;
    arena = std::max(arena, sum(start, bytes));
    const auto after =
        std::upper_bound(placed.begin(), placed.end(), start,
                         [](std::size_t at, const Placed& other) { return at < other.start; });
    placed.insert(after, {lives[id], start, start + bytes});
  }
  for (ValueId v = 0; v < values.size(); ++v)
    values[v].planes.offset = values[owner[v]].planes.offset;
  return arena;
}

}  // namespace bnas
