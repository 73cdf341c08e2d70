// Steps without windows.
#include <algorithm>

#include "reader/steps/steps.h"

namespace bnas {
namespace {

constexpr Version first{1, 0}, with_scales{1, 2}, with_activations{1, 3}, with_gates{1, 4};

AddStep read_affine(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const Dimensions each = {in.shape.channels};
  const AffineSpec spec{in.id, s.assign(Kind::f32, in.shape), s.floats("scale", each),
                        s.floats("shift", each)};
  return adds(spec);
}

AddStep read_relu(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const ValueId out = s.assign(Kind::f32, in.shape);
  return adds(ReluSpec{in.id, out});
}

AddStep read_binarize(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const BinarizeSpec spec{in.id, s.assign(Kind::bits, in.shape),
                          s.thresholds("threshold", {in.shape.channels}),
                          s.packed("flip", {}, in.shape.channels)};
  return adds(spec);
}

AddStep read_mean_magnitude(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const Dimensions each = {in.shape.channels};
  const ValueId out = s.assign(Kind::f32, {1, in.shape.height, in.shape.width});
  const MeanMagnitudeSpec spec{in.id, out, s.floats("scale", each), s.floats("shift", each),
                               s.floats("terms", {2})};
  s.scope().work.add({0, in.shape.channels, 0, 0});
  return adds(spec);
}

AddStep read_multiply(StepReader& s) {
  const auto in = s.value("input", Kind::f32), factor = s.value("factor", Kind::f32);
  const auto [channels, height, width] = in.shape;
  const Shape& f = factor.shape;
  const bool one_channel = f.channels == 1, one_pixel = f.height == 1 && f.width == 1;
  const bool all_pixels = f.height == height && f.width == width;
  s.require((one_channel || f.channels == channels) && (one_pixel || all_pixels),
            "field 'factor' needs a value whose extents are those of " + text_of(in.shape) +
                " or 1 channel or 1 x 1 pixels, got " + text_of(f));
  if (!one_channel || !all_pixels)
    s.require_since(with_activations, "multiply by a factor of shape " + text_of(f));
  const ValueId out = s.assign(Kind::f32, in.shape);
  return adds(MultiplySpec{in.id, factor.id, out});
}

AddStep read_prelu(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const PreluSpec spec{in.id, s.assign(Kind::f32, in.shape),
                       s.floats("slope", {in.shape.channels})};
  return adds(spec);
}

AddStep read_clip(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const Dimensions each = {in.shape.channels};
  const ClipSpec spec{in.id, s.assign(Kind::f32, in.shape), s.any_floats("low", each),
                      s.any_floats("high", each)};
  for (std::size_t c = 0; c < in.shape.channels; ++c)
    s.require(spec.low.data[c] <= spec.high.data[c],  // nor is NaN
              "field 'low' must not be greater than 'high', and neither NaN");
  return adds(spec);
}

AddStep read_sigmoid(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const ValueId out = s.assign(Kind::f32, in.shape);
  return adds(SigmoidSpec{in.id, out});
}

AddStep read_hard_sigmoid(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const HardSigmoidSpec spec{in.id, s.assign(Kind::f32, in.shape), s.floats("terms", {2})};
  return adds(spec);
}

AddStep read_constant(StepReader& s) {
  const Tensor& tensor = s.tensor("value", Dtype::f32);
  const Dimensions& shape = tensor.shape;
  s.require(shape.size() == 3, "field 'value': expected shape (C, H, W), got " + listed(shape));
  const auto values = s.floats("value", shape);
  const ValueId out = s.assign(Kind::f32, {extent(shape[0]), extent(shape[1]), extent(shape[2])});
  return adds(ConstantSpec{out, values});
}

AddStep read_add_slice(StepReader& s) {
  const auto whole = s.value("input", Kind::f32), addend = s.value("addend", Kind::f32);
  const std::int64_t at = s.integer("at");
  require_slice(s, whole.shape, addend.shape, at);
  const AddSliceSpec spec{whole.id, addend.id, s.assign(Kind::f32, whole.shape),
                          static_cast<std::size_t>(at)};
  return adds(spec);
}

AddStep read_concat(StepReader& s) {
  const auto inputs = s.values("inputs", Kind::f32);
  s.require(inputs.size() >= 2,
            "field 'inputs' must name two values or more, got " + std::to_string(inputs.size()));
  Shape out{0, inputs[0].shape.height, inputs[0].shape.width};
  std::vector<ValueId> ids;
  for (const auto& input : inputs) {
    s.require(input.shape.height == out.height && input.shape.width == out.width,
              "field 'inputs': all must have the same pixels, got " + text_of(inputs[0].shape) +
                  " and " + text_of(input.shape));
    out.channels += input.shape.channels;
    ids.push_back(input.id);
  }
  return adds(ConcatSpec{ids, s.assign(Kind::f32, out)});
}

AddStep read_select_channels(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const Tensor& tensor = s.tensor("index", Dtype::i32);
  s.require(tensor.shape.size() == 1,
            "field 'index': expected one dimension, got " + std::to_string(tensor.shape.size()));
  const auto index = s.elements<std::int32_t>(tensor);
  const auto channels = static_cast<std::int64_t>(in.shape.channels);
  s.require(std::all_of(index.data, index.data + index.size,
                        [channels](std::int32_t i) { return i >= -1 && i < channels; }),
            "field 'index': entries must lie between -1 and " + std::to_string(channels - 1));
  const ValueId out = s.assign(Kind::f32, {index.size, in.shape.height, in.shape.width});
  return adds(SelectChannelsSpec{in.id, out, index});
}

AddStep read_global_avg_pool(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const ValueId out = s.assign(Kind::f32, {in.shape.channels, 1, 1});
  return adds(GlobalAvgPoolSpec{in.id, out});
}

AddStep read_linear(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const std::uint64_t k = std::uint64_t{in.shape.channels} * in.shape.height * in.shape.width;
  const Tensor& weight = s.tensor("weight", Dtype::f32);
  s.require(
      weight.shape.size() == 2 && weight.shape[1] == k,
      "field 'weight': expected shape (O, " + std::to_string(k) + "), got " + listed(weight.shape));
  const auto weights = s.floats("weight", weight.shape);
  const LinearSpec spec{in.id, s.assign(Kind::f32, {extent(weight.shape[0]), 1, 1}), weights,
                        s.optional_floats("bias", {weight.shape[0]})};
  s.scope().work.add({weight.elements, k, 0, times(weight.elements, float_work)});
  return adds(spec);
}

}  // namespace

const std::vector<StepRule>& plain_steps() {
  static const std::vector<StepRule> rules = {
      {"affine", first, read_affine},
      {"relu", first, read_relu},
      {"binarize", first, read_binarize},
      {"mean_magnitude", with_scales, read_mean_magnitude},
      {"multiply", with_scales, read_multiply},
      {"prelu", with_activations, read_prelu},
      {"clip", with_activations, read_clip},
      {"sigmoid", with_activations, read_sigmoid},
      {"hard_sigmoid", with_gates, read_hard_sigmoid},
      {"constant", with_activations, read_constant},
      {"add_slice", first, read_add_slice},
      {"concat", first, read_concat},
      {"select_channels", first, read_select_channels},
      {"global_avg_pool", first, read_global_avg_pool},
      {"linear", first, read_linear},
  };
  return rules;
}

}  // namespace bnas
