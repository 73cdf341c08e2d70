#include "reader/model_file.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bnas {
namespace {

constexpr double statistic_limit = 1e30;

NamedValue read_value(const JsonValue& json, std::string_view name, ValueId id) {
  Fields fields(json, "value " + quoted(name));
  const std::string_view kind = fields.string("kind");
  const auto shape = fields.integers<3>("shape");
  fields.done();
  if (kind != "f32" && kind != "bits")
    refuse(fields.where(), "kind must be f32 or bits, got " + quoted(kind));
  std::uint64_t elements = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 1 || extent > static_cast<std::int64_t>(extent_limit))
      refuse(fields.where(), "extents must lie between 1 and " + std::to_string(extent_limit) +
                                 ", got " + listed(shape));
    elements *= static_cast<std::uint64_t>(extent);
  }
  if (elements > element_limit)
    refuse(fields.where(), "shape " + listed(shape) + " has more than 2^30 elements");
  const auto extent = [&](std::size_t axis) { return static_cast<std::size_t>(shape[axis]); };
  return {kind == "bits" ? Kind::bits : Kind::f32, {extent(0), extent(1), extent(2)}, id};
}

}  // namespace

ModelFile::ModelFile(const std::uint8_t* blob, std::size_t size, Digest digest)
    : container_(unpack(blob, size, digest)), program_(container_.program, "bnas.program") {
  Fields top(program_.root(), "bnas.program");
  read_values(top.object("values"));
  const auto input = scope_.values.find(top.string("input"));
  if (input == scope_.values.end() || input->second.kind != Kind::f32)
    refuse("input", quoted(top.string("input")) + " must be a declared value of kind f32");
  input->second.taken = input->second.assigned = true;
  input_ = &input->second;
  const std::string_view output = top.string("output");
  for (const std::string_view label : top.strings("labels")) labels_.emplace_back(label);
  read_steps(top.items("steps"));
  check_output(output);
  check_all_used();
  read_preprocessing(top.object("preprocessing"));
  top.object("provenance");
  top.object("cost");
  top.done();
}

void ModelFile::read_values(const JsonValue& values) {
  std::uint64_t total = 0;
  values.for_members([&](std::string_view name, const JsonValue& json) {
    const NamedValue value = read_value(json, name, values_.size());
    total += held(value.shape);
    values_.push_back(&scope_.values.emplace(name, value).first->second);
    names_.emplace_back(name);
  });
  if (total > element_limit)
    refuse("values", "together they may have 2^30 elements, got " + std::to_string(total));
}

void ModelFile::read_steps(const std::vector<JsonValue>& steps) {
  if (steps.size() > step_limit)
    refuse("steps", "at most " + std::to_string(step_limit) + " are allowed, got " +
                        std::to_string(steps.size()));
  for (const JsonValue& step : steps) read_step(step, "step " + std::to_string(steps_.size()));
}

void ModelFile::read_step(const JsonValue& json, std::string where) {
  StepReader reader(json, where, scope_);
  const std::string_view op = reader.string("op");
  const StepRule* rule = rule_for(op);
  if (rule == nullptr) refuse(where, "field 'op': " + quoted(op) + " is no step of this format");
  reader.require_since(rule->since, std::string(op));
  reader.rename(where + " (" + rule->op + ")");
  steps_.push_back(rule->read(reader));
  reader.done();
  scope_.end_step();
  scope_.work.check(reader.where());
}

void ModelFile::check_all_used() const {
  for (const auto& [name, value] : scope_.values) {
    if (!value.assigned) refuse("value " + quoted(name), "no step assigns it");
    if (!value.read && &value != output_)
      refuse("value " + quoted(name), "no step reads it, and it is not the output");
  }
  for (const auto& [name, tensor] : container_.tensors) {
    if (scope_.used.count(name) == 0) refuse("tensor " + quoted(name), "no step uses it");
  }
}

void ModelFile::check_output(std::string_view name) {
  const auto found = scope_.values.find(name);
  if (found == scope_.values.end()) refuse("output", quoted(name) + " is not a declared value");
  output_ = &found->second;
  const Shape& shape = output_->shape;
  if (output_->kind != Kind::f32 || shape.height != 1 || shape.width != 1)
    refuse("output", quoted(name) + " must be f32 (classes, 1, 1), is " + text_of(shape));
  if (labels_.size() != shape.channels)
    refuse("labels", "expected one a class, " + std::to_string(shape.channels) + ", got " +
                         std::to_string(labels_.size()));
}

void ModelFile::read_preprocessing(const JsonValue& json) {
  Fields fields(json, "preprocessing");
  const std::int64_t resize = fields.integer("resize");
  const auto crop = fields.integers<2>("crop");
  preprocessing_.mean = fields.numbers("mean");
  preprocessing_.std = fields.numbers("std");
  fields.done();
  const Shape& in = input();
  const auto height = static_cast<std::int64_t>(in.height);
  const auto width = static_cast<std::int64_t>(in.width);
  const auto require = [&](bool good, const std::string& message) {
    if (!good) refuse(fields.where(), message);
  };
  require(crop[0] == height && crop[1] == width, "crop " + listed(crop) +
                                                     " must be the input's height and width " +
                                                     listed({in.height, in.width}));
  require(std::max(height, width) <= resize && resize <= static_cast<std::int64_t>(extent_limit),
          "resize must lie between the crop's larger side and " + std::to_string(extent_limit) +
              ", got " + std::to_string(resize));
  require(preprocessing_.mean.size() == in.channels && preprocessing_.std.size() == in.channels,
          "mean and std need " + std::to_string(in.channels) + " numbers each");
  for (const double mean : preprocessing_.mean)
    require(std::abs(mean) < statistic_limit, "mean must be finite");
  constexpr double tiny = std::numeric_limits<float>::min();
  for (const double std : preprocessing_.std)
    require(tiny <= std && std < statistic_limit, "std must be positive and finite in float32");
  preprocessing_.resize = static_cast<std::size_t>(resize);
  preprocessing_.crop = {in.height, in.width};
}

std::unique_ptr<Model> ModelFile::build(const Kernels& kernels) const {
  Draft draft(kernels);
  for (const NamedValue* value : values_)
    draft.add_value(value->kind, value->shape.channels, value->shape.height, value->shape.width);
  for (const AddStep& add : steps_) add(draft);
  return draft.finish(input_->id, output_->id);
}

}  // namespace bnas
