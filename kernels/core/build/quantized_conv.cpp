// The 8-bit convolution of the builder: its checks, and the steps that it becomes.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/build/builder.h"

namespace bnas {
namespace {

// Times 2 vectors of 64 bytes: 64 KiB. That is more than a first-level cache, but rows come in
// order and few, and sums that stay in registers are worth more.
constexpr std::size_t rows_at_a_time = 512;
constexpr std::int64_t greatest_activation = 127;

// Groups to gather at a time: whole blocks of rows, whatever the number of taps.
std::size_t chunk_of(std::size_t taps, std::size_t block) {
  return std::max<std::size_t>(1, rows_at_a_time / taps / block) * block;
}

bool all_finite(Array<float> values) {
  return std::all_of(values.data, values.data + values.size,
                     [](float x) { return std::isfinite(x); });
}

// Greatest |sum| that the weights and offsets of any output allow.
std::int64_t sum_bound(const QuantizedConvSpec& spec, std::size_t k) {
  std::int64_t bound = 0;
  for (std::size_t o = 0; o < spec.offset.size; ++o) {
    std::int64_t sum = std::abs(std::int64_t{spec.offset.data[o]});
    for (std::size_t i = 0; i < k; ++i)
      sum += greatest_activation * std::abs(spec.weight.data[o * k + i]);
    bound = std::max(bound, sum);
  }
  return bound;
}

}  // namespace

void Builder::require_quantized(const QuantizedConvSpec& spec, const QuadShape& shape) const {
  const std::size_t k = shape.channels * shape.taps;
  require_size("weight", spec.weight.size, shape.outputs * k);
  require_size("offset", spec.offset.size, shape.outputs);
  require_size("scale", spec.scale.size, shape.outputs);
  require_size("input_scale", spec.input_scale.size, shape.channels);
  require_size("input_zero", spec.input_zero.size, shape.channels);
  require(all_finite(spec.scale) && all_finite(spec.input_scale) && all_finite(spec.input_zero),
          "the scales and zeros of a quantized convolution must be finite");
  require(std::all_of(spec.input_scale.data, spec.input_scale.data + spec.input_scale.size,
                      [](float x) { return x >= 0.0f; }),
          "an input_scale is negative");
  require(std::all_of(spec.weight.data, spec.weight.data + spec.weight.size,
                      [](std::int8_t w) { return w >= -127; }),
          "a weight of -128 is not allowed");
  const std::int64_t bound = sum_bound(spec, k);
  require(bound < std::int64_t{1} << 31,
          "a sum must be below 2^31; this one can reach " + std::to_string(bound));
}

void Builder::add_quantized_conv2d(const QuantizedConvSpec& spec) {
  const Window window = window_for(spec.window, spec.input, spec.output, false, false);
  const Planes in = values_[spec.input].planes;
  const QuadShape shape{values_[spec.output].planes.channels, in.channels, taps_of(window)};
  require_quantized(spec, shape);
  const std::size_t groups = shape.groups();
  const ValueId quads = add_hidden(false, groups, in.height, in.width);
  add_step(
      Quantize{spec.input, quads, in.channels, weights_.copy(spec.input_scale.data, in.channels),
               weights_.copy(spec.input_zero.data, in.channels)},
      groups, {spec.input}, {quads});
  const Geometry geometry = make_geometry(window, kernels_.float_lanes, groups, max_float_lanes);
  const ValueId input = split_phases(geometry, window, quads, false);
  const QuadTile tile{kernels_.quad_outputs, kernels_.quad_rows};
  const std::size_t chunk = std::min(groups, chunk_of(shape.taps, tile.rows));
  const QuantizedConv op{input,
                         spec.output,
                         make_taps(geometry, window),
                         groups,
                         shape.outputs,
                         chunk,
                         quantized_zeros(spec.input_zero, weights_),
                         round_up(groups * shape.taps, tile.rows),
                         tile_quads(spec.weight.data, shape, tile, weights_),
                         weights_.copy(spec.offset.data, shape.outputs),
                         weights_.copy(spec.scale.data, shape.outputs),
                         spec.relu};
  need_scratch(round_up(chunk * shape.taps, tile.rows) * kernels_.quad_vectors *
               kernels_.float_lanes * sizeof(std::uint32_t));
  add_step(op, divide_up(shape.outputs, tile.outputs), {input}, {spec.output});
  ++program_steps_;
}

}  // namespace bnas
