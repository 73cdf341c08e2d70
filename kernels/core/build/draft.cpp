#include "core/build/draft.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <stdexcept>

#include "core/build/fuse/fuse.h"
#include "core/build/geometry.h"
#include "core/build/plan.h"
#include "core/sizes.h"

namespace bnas {
namespace {

constexpr std::size_t no_step = SIZE_MAX;

Planes make_planes(Kind kind, std::size_t channels, std::size_t height, std::size_t width) {
  const std::size_t planes = kind == Kind::bits ? divide_up(channels, bits_per_plane) : channels;
  return {0, plane_stride(kind, product(height, width)), planes, channels, height, width};
}

std::vector<Step> steps_for(When when, const std::vector<Step>& steps) {
  std::vector<Step> some;
  std::copy_if(steps.begin(), steps.end(), std::back_inserter(some),
               [when](const Step& step) { return step.when == When::always || step.when == when; });
  return some;
}

}  // namespace

void Draft::require(bool good, const std::string& message) const {
  if (!good)
    throw std::invalid_argument("the engine cannot run this program: step " +
                                std::to_string(program_steps_) + ": " + message);
}

ValueId Draft::add_value(Kind kind, std::size_t channels, std::size_t height, std::size_t width) {
  values_.push_back({kind, make_planes(kind, channels, height, width)});
  return program_values_++;
}

ValueId Draft::add_hidden(Kind kind, std::size_t planes, std::size_t height, std::size_t width) {
  const std::size_t channels = kind == Kind::bits ? product(planes, bits_per_plane) : planes;
  values_.push_back({kind, make_planes(kind, channels, height, width)});
  return values_.size() - 1;
}

void Draft::add_step(Op op, std::size_t units, std::vector<ValueId> reads,
                     const std::vector<ValueId>& writes) {
  steps_.push_back({program_steps_, op, units, std::move(reads), {}});
  for (const ValueId id : writes) also_writes(id);
}

void Draft::also_writes(ValueId id) {
  steps_.back().writes.push_back(id);
  writers_.resize(values_.size(), no_step);
  writers_[id] = steps_.size() - 1;
}

void Draft::add_in_place(Op op, ValueId input, ValueId output) {
  add_step(op, planes(input).planes, {input}, {output});
  steps_.back().in_place = true;
}

void Draft::copy_for_update(ValueId from, ValueId to) {
  add_in_place(CopyPlanes{from, to, 0, planes(from).planes, nullptr}, from, to);
  steps_.back().only_copies = true;
}

void Draft::add_constant(const Constant& op) {
  constants_.push_back({program_steps_, op, planes(op.output).channels, {}, {op.output}});
}

const Step* Draft::writer_of(ValueId id) const {
  const bool known = id < writers_.size() && writers_[id] != no_step;
  return known ? &steps_[writers_[id]] : nullptr;
}

void Draft::need_scratch(std::size_t bytes) {
  scratch_ = std::max(scratch_, round_up(bytes, cache_line));
}

std::unique_ptr<Model> Draft::finish(ValueId input, ValueId output) {
  const bool fused = fuse(*this, output);
  Model::Parts parts{kernels,
                     std::move(values_),
                     std::move(steps_),
                     {},
                     std::move(constants_),
                     std::move(weights),
                     std::move(tables),
                     input,
                     output,
                     program_values_,
                     program_steps_,
                     scratch_,
                     0};
  parts.arena = plan(parts.values, parts.steps, parts.constants, input, output);
  if (fused) {
    parts.traced = steps_for(When::trace, parts.steps);
    parts.steps = steps_for(When::run, parts.steps);
  }
  return std::make_unique<Model>(std::move(parts));
}

}  // namespace bnas
