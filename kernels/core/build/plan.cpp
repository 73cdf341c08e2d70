#include "core/build/plan.h"

#include <algorithm>
#include <numeric>
#include <variant>

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

// Where the buffers of values lie: in that of `owner`, which lies `first` planes into the buffer of
// `whole`, where that is another value.
struct Places {
  std::vector<ValueId> owner, whole;
  std::vector<std::size_t> first;

  explicit Places(std::size_t values) : owner(values), whole(values), first(values, 0) {
    std::iota(owner.begin(), owner.end(), ValueId{0});
    std::iota(whole.begin(), whole.end(), ValueId{0});
  }
  bool stands_alone(ValueId v) const { return owner[v] == v && whole[v] == v; }
};

void unite(Life& life, const Life& other) {
  life = {std::min(life.first, other.first), std::max(life.last, other.last)};
}

// Lets values take over the buffers of those that die where they are made; returns which steps
// have nothing left to do.
std::vector<bool> take_over(const std::vector<Step>& steps, std::vector<Life>& lives,
                            Places& places) {
  std::vector<bool> needless(steps.size(), false);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].in_place || lives[steps[i].reads[0]].last != i) continue;
    places.owner[steps[i].writes[0]] = places.owner[steps[i].reads[0]];
    needless[i] = steps[i].only_copies;
  }
  for (ValueId v = 0; v < lives.size(); ++v) unite(lives[places.owner[v]], lives[v]);
  return needless;
}

void also_writes(std::vector<Step>& steps, ValueId part, ValueId whole) {
  for (Step& step : steps) {
    if (std::find(step.writes.begin(), step.writes.end(), part) != step.writes.end())
      step.writes.push_back(whole);
  }
}

// Lets what is only copied into another value, and dies there, be made where it is copied to. Who
// writes the part is then one of those that write the whole.
void make_in_place(std::vector<Step>& steps, std::vector<Life>& lives, Places& places,
                   std::vector<bool>& needless) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto* copy = std::get_if<CopyPlanes>(&steps[i].op);
    if (copy == nullptr || steps[i].in_place || copy->index != nullptr) continue;
    const ValueId part = places.owner[copy->input], whole = copy->output;
    if (lives[part].last != i || places.whole[part] != part) continue;
    places.whole[part] = whole;
    places.first[part] = copy->at;
    unite(lives[places.owner[whole]], lives[part]);
    needless[i] = true;
    also_writes(steps, copy->input, whole);
  }
}

// Decides which values lie in the memory of others, and drops the steps that have become needless.
Places share(std::vector<Step>& steps, std::vector<Life>& lives) {
  Places places(lives.size());
  std::vector<bool> needless = take_over(steps, lives, places);
  make_in_place(steps, lives, places, needless);
  std::vector<Step> kept;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!needless[i]) kept.push_back(steps[i]);
  }
  steps = std::move(kept);
  return places;
}

// Offsets of the values that lie in others, from those of the others.
std::size_t offset_of(const std::vector<Value>& values, const Places& places, ValueId v) {
  const ValueId owner = places.owner[v];
  if (places.whole[owner] == owner) return values[owner].planes.offset;
  return offset_of(values, places, places.whole[owner]) +
         places.first[owner] * values[owner].planes.stride * sizeof(float);
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
  const Places places = share(steps, lives);
  std::vector<ValueId> order;
  for (ValueId v = 0; v < values.size(); ++v) {
    if (places.stands_alone(v)) order.push_back(v);
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
    values[v].planes.offset = offset_of(values, places, v);
  return arena;
}

}  // namespace bnas
