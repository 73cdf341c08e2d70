#include "core/build/plan.h"

#include <algorithm>
#include <numeric>
#include <variant>

#include "core/buffer.h"
#include "core/build/arena.h"
#include "core/sizes.h"

namespace bnas {
namespace {

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

// Values may lie in others that lie in others, and so on; not deeper, as each of their steps then
// writes them all.
constexpr std::size_t deepest = 256;

// Which steps write each value.
std::vector<std::vector<std::size_t>> find_writers(std::size_t values,
                                                   const std::vector<Step>& steps) {
  std::vector<std::vector<std::size_t>> writers(values);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const ValueId id : steps[i].writes) writers[id].push_back(i);
  }
  return writers;
}

// Lets what is only copied into another value, and dies there, be made where it is copied to. Who
// writes the part is then one of those that write the whole.
void make_in_place(std::vector<Step>& steps, std::vector<Life>& lives, Places& places,
                   std::vector<bool>& needless) {
  auto writers = find_writers(lives.size(), steps);
  std::vector<std::size_t> depth(lives.size(), 0);  // of what lies in a value
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto* copy = std::get_if<CopyPlanes>(&steps[i].op);
    if (copy == nullptr || steps[i].in_place || copy->index != nullptr) continue;
    const ValueId part = places.owner[copy->input], whole = copy->output;
    if (lives[part].last != i || places.whole[part] != part || depth[part] == deepest) continue;
    places.whole[part] = whole;
    places.first[part] = copy->at;
    depth[whole] = std::max(depth[whole], depth[part] + 1);
    unite(lives[places.owner[whole]], lives[part]);
    needless[i] = true;
    for (const std::size_t writer : writers[copy->input]) {
      std::vector<ValueId>& writes = steps[writer].writes;
      if (std::find(writes.begin(), writes.end(), whole) != writes.end()) continue;
      writes.push_back(whole);
      writers[whole].push_back(writer);
    }
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

std::size_t bytes_of(const Value& value) {
  const std::size_t element = value.kind == Kind::bits ? 1 : sizeof(float);
  return round_up(product(value.planes.planes, value.planes.stride, element), cache_line);
}

}  // namespace

std::size_t plan(std::vector<Value>& values, std::vector<Step>& steps,
                 const std::vector<Step>& constants, ValueId input, ValueId output) {
  std::vector<Life> lives = find_lives(values.size(), steps, constants, input, output);
  const std::size_t steps_before = steps.size();
  const Places places = share(steps, lives);
  std::vector<ValueId> order;
  for (ValueId v = 0; v < values.size(); ++v) {
    if (places.stands_alone(v)) order.push_back(v);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](ValueId a, ValueId b) { return bytes_of(values[a]) > bytes_of(values[b]); });
  Arena arena(steps_before + 1);
  for (const ValueId id : order)
    values[id].planes.offset = arena.place(lives[id], bytes_of(values[id]));
  for (ValueId v = 0; v < values.size(); ++v)
    values[v].planes.offset = offset_of(values, places, v);
  return arena.bytes();
}

}  // namespace bnas
