// Steps with a window over floats: convolutions, 8-bit ones too, and pools.
#include <algorithm>
#include <cstdlib>

#include "reader/steps/steps.h"
#include "reader/steps/windows.h"

namespace bnas {
namespace {

constexpr Version first{1, 0}, with_eight_bits{1, 1}, with_groups{1, 3};
constexpr std::int64_t largest_input = 127;
constexpr std::int8_t least_weight = -127;

void count_dense(StepReader& s, const Tensor& weight, std::uint64_t channels, const Windows& w,
                 std::uint64_t each) {
  const std::uint64_t macs = times(w.positions(), times(weight.shape[0], weight.shape[1]));
  s.scope().work.add({weight.elements, channels * w.taps(), w.positions(), times(macs, each)});
}

AddStep read_float_conv(StepReader& s, bool grouped) {
  const auto in = s.value("input", Kind::f32);
  const std::size_t groups = grouped ? read_groups(s, in.shape.channels) : 1;
  const Tensor& weight = s.tensor("weight", Dtype::f32);
  const Windows w = read_windows(s, in.shape, kernel_of(s, weight, in.shape.channels / groups));
  require_groups(s, groups, weight.shape[0]);
  const auto weights = s.floats("weight", weight.shape);
  const ValueId out = s.assign(Kind::f32, {extent(weight.shape[0]), w.height, w.width});
  const auto bias = s.optional_floats("bias", {weight.shape[0]});
  const Conv2dSpec spec{in.id, out, weights, bias, w.spec, s.relu(), groups};
  count_dense(s, weight, in.shape.channels, w, float_work);
  return adds(spec);
}

AddStep read_conv2d(StepReader& s) { return read_float_conv(s, false); }
AddStep read_grouped_conv2d(StepReader& s) { return read_float_conv(s, true); }

// The largest integer that the sum of one output can reach.
std::int64_t sum_bound(const Array<std::int8_t>& weights, const Array<std::int32_t>& offset) {
  std::int64_t bound = 0;
  const std::size_t per_output = offset.size == 0 ? 0 : weights.size / offset.size;
  for (std::size_t o = 0; o < offset.size; ++o) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < per_output; ++i) sum += std::abs(weights.data[o * per_output + i]);
    bound = std::max(bound, std::abs(std::int64_t{offset.data[o]}) + largest_input * sum);
  }
  return bound;
}

AddStep read_quantized_conv2d(StepReader& s) {
  const auto in = s.value("input", Kind::f32);
  const Tensor& weight = s.tensor("weight", Dtype::i8);
  const Windows w = read_windows(s, in.shape, kernel_of(s, weight, in.shape.channels));
  const Dimensions outputs = {weight.shape[0]}, inputs = {in.shape.channels};
  QuantizedConvSpec spec{in.id,
                         s.assign(Kind::f32, {extent(weight.shape[0]), w.height, w.width}),
                         s.elements<std::int8_t>(weight),
                         s.int32s("offset", outputs),
                         s.floats("scale", outputs),
                         s.floats("input_scale", inputs),
                         s.floats("input_zero", inputs),
                         w.spec,
                         s.relu()};
  const auto each = spec.weight.data;
  s.require(std::all_of(each, each + spec.weight.size, [](auto x) { return x >= least_weight; }),
            "field 'weight': weights must lie between -127 and 127, got -128");
  const auto scales = spec.input_scale.data;
  s.require(std::all_of(scales, scales + spec.input_scale.size, [](float x) { return !(x < 0); }),
            "field 'input_scale' must not be negative");
  const std::int64_t bound = sum_bound(spec.weight, spec.offset);
  s.require(static_cast<std::uint64_t>(bound) < sum_limit,
            "an integer sum can reach " + std::to_string(bound) + ", and must stay below " +
                std::to_string(sum_limit));
  count_dense(s, weight, in.shape.channels, w, eight_bit_work);
  return adds(spec);
}

AddStep read_pool(StepReader& s, bool average) {
  const auto in = s.value("input", Kind::f32);
  const Windows w = read_pool_windows(s, in.shape);
  const Shape shape{in.shape.channels, w.height, w.width};
  const PoolSpec spec{in.id, s.assign(Kind::f32, shape), w.spec, average};
  return adds(spec);
}

AddStep read_max_pool2d(StepReader& s) { return read_pool(s, false); }
AddStep read_avg_pool2d(StepReader& s) { return read_pool(s, true); }

}  // namespace

const std::vector<StepRule>& window_steps() {
  static const std::vector<StepRule> rules = {
      {"conv2d", first, read_conv2d},
      {"grouped_conv2d", with_groups, read_grouped_conv2d},
      {"quantized_conv2d", with_eight_bits, read_quantized_conv2d},
      {"max_pool2d", first, read_max_pool2d},
      {"avg_pool2d", first, read_avg_pool2d},
  };
  return rules;
}

}  // namespace bnas
