// Binary convolutions and their output stages, and pools of bits.
#include <algorithm>
#include <cstdlib>

#include "reader/steps/steps.h"
#include "reader/steps/windows.h"

namespace bnas {
namespace {

constexpr Version first{1, 0}, with_scales{1, 2}, with_groups{1, 3};
constexpr std::uint64_t channels_per_weight = 8;  // a byte counts as one
constexpr std::uint64_t word_bits = 64;           // work is done by words

void read_threshold(StepReader& s, const Shape& dots, StageSpec& stage) {
  stage.kind = Stage::Kind::threshold;
  stage.threshold = s.int32s("threshold", {dots.channels});
  stage.flip = s.packed("flip", {}, dots.channels);
  stage.output = s.assign(Kind::bits, dots);
}

void read_scale(StepReader& s, const Shape& dots, bool shifted, StageSpec& stage) {
  stage.kind = Stage::Kind::scale;
  stage.scale = s.floats("scale", {dots.channels});
  if (shifted) stage.shift = s.floats("shift", {dots.channels});
  stage.relu = s.relu();
  const auto addend = s.optional_value("addend", Kind::f32);
  const std::int64_t at = s.integer("at");
  if (addend) {
    require_slice(s, addend->shape, dots, at);
  } else {
    s.require(at == 0, "field 'at' must be 0 without an addend, got " + std::to_string(at));
  }
  stage.has_addend = addend.has_value();
  stage.addend = addend ? addend->id : 0;
  stage.at = static_cast<std::size_t>(at);
  stage.output = s.assign(Kind::f32, addend ? addend->shape : dots);
}

StageSpec read_stage(StepReader& s, const Shape& dots) {
  StageSpec stage{};
  const std::string_view kind = s.string("kind");
  if (kind == "threshold") {
    read_threshold(s, dots, stage);
  } else {
    const bool shifted = kind == "affine";
    s.require(shifted || kind == "scale",
              "field 'kind': expected one of threshold, scale, affine, got " + quoted(kind));
    if (shifted) s.require_since(with_groups, "the stage affine");
    read_scale(s, dots, shifted, stage);
  }
  s.done();
  return stage;
}

std::vector<StageSpec> read_stages(StepReader& s, const Shape& dots) {
  std::vector<StageSpec> stages;
  for (const JsonValue& item : s.items("stages")) {
    StepReader stage(item, s.where() + ", stage " + std::to_string(stages.size()), s.scope());
    stages.push_back(read_stage(stage, dots));
  }
  s.require(!stages.empty(), "field 'stages' must hold at least one stage");
  return stages;
}

// The most that constant channels can add to a dot product.
std::uint64_t fold_bound(const Array<std::int32_t>& fold, std::size_t outputs) {
  std::int64_t bound = 0;
  const std::size_t taps = fold.size / outputs;
  for (std::size_t o = 0; o < outputs && taps != 0; ++o) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < taps; ++i) sum += std::abs(std::int64_t{fold.data[o * taps + i]});
    bound = std::max(bound, sum);
  }
  return static_cast<std::uint64_t>(bound);
}

AddStep read_dense_bits(StepReader& s, bool grouped) {
  const auto in = s.value("input", Kind::bits);
  const std::size_t groups = grouped ? read_groups(s, in.shape.channels) : 1;
  const std::size_t channels = in.shape.channels / groups;
  const Windows w = read_windows(s, in.shape, s.integers<2>("kernel"));
  const Tensor& weight = s.tensor("weight", Dtype::u64);
  s.require(weight.shape.size() == 2 && weight.shape[0] != 0,
            "field 'weight': expected shape (O, words), got " + listed(weight.shape));
  const std::size_t outputs = extent(weight.shape[0]);
  require_groups(s, groups, outputs);
  const std::uint64_t bits = w.taps() * channels;
  BinaryConvSpec spec{in.id, outputs, s.packed("weight", {outputs}, bits), {}, w.spec, {}, groups};
  spec.fold = s.optional_int32s("fold", {outputs, w.spec.kernel[0], w.spec.kernel[1]});
  const std::uint64_t bound = bits + fold_bound(spec.fold, outputs);
  s.require(bound < dot_limit, "a dot product can reach " + std::to_string(bound) +
                                   ", and must stay below " + std::to_string(dot_limit));
  spec.stages = read_stages(s, {outputs, w.height, w.width});
  const std::uint64_t bytes = ceil_divide(channels, channels_per_weight);
  const std::uint64_t words = ceil_divide(channels, word_bits);
  s.scope().work.add({times(outputs, w.taps() * bytes), w.taps() * in.shape.channels, w.positions(),
                      times(w.positions(), outputs * words * word_bits)});
  return adds(spec);
}

AddStep read_binary_conv2d(StepReader& s) { return read_dense_bits(s, false); }
AddStep read_binary_grouped_conv2d(StepReader& s) { return read_dense_bits(s, true); }

AddStep read_binary_depthwise_conv2d(StepReader& s) {
  const auto in = s.value("input", Kind::bits);
  const std::size_t channels = in.shape.channels;
  const Windows w = read_windows(s, in.shape, s.integers<2>("kernel"));
  DepthwiseConvSpec spec{in.id, s.packed("weight", {channels}, w.taps()), w.spec, {}};
  spec.stages = read_stages(s, {channels, w.height, w.width});
  s.scope().work.add({channels * w.taps(), channels * w.taps(), w.positions(),
                      times(w.positions(), channels * word_bits)});
  return adds(spec);
}

AddStep read_binary_max_pool2d(StepReader& s) {
  const auto in = s.value("input", Kind::bits);
  const Windows w = read_pool_windows(s, in.shape);
  const Shape shape{in.shape.channels, w.height, w.width};
  const PoolBitsSpec spec{in.id, s.assign(Kind::bits, shape), w.spec,
                          s.optional_packed("minimum", {}, in.shape.channels)};
  return adds(spec);
}

}  // namespace

const std::vector<StepRule>& binary_steps() {
  static const std::vector<StepRule> rules = {
      {"binary_conv2d", first, read_binary_conv2d},
      {"binary_grouped_conv2d", with_groups, read_binary_grouped_conv2d},
      {"binary_depthwise_conv2d", with_scales, read_binary_depthwise_conv2d},
      {"binary_max_pool2d", with_groups, read_binary_max_pool2d},
  };
  return rules;
}

}  // namespace bnas
