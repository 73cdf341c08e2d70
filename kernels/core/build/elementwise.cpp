// The steps of the builder that look at one element at a time, and constants; pools of bits.
#include <algorithm>

#include "core/build/builder.h"

namespace bnas {
namespace {

// Packed bits as bytes of eight channels, zero beyond the last; all zero where there are none.
const std::uint8_t* bytes_of_bits(Array<std::uint64_t> bits, std::size_t channels, Tables& tables) {
  auto* bytes = tables.allocate<std::uint8_t>(planes_for(channels));
  for (std::size_t c = 0; bits.size != 0 && c < channels; ++c) {
    const std::uint64_t bit = bits.data[c / 64] >> c % 64 & 1;
    bytes[c / 8] = static_cast<std::uint8_t>(bytes[c / 8] | bit << c % 8);
  }
  return bytes;
}

}  // namespace

// Checks that two float values have one shape, and returns their channels.
std::size_t Builder::like(ValueId input, ValueId output) const {
  const std::size_t channels = shape_of(input, false).channels;
  shape_of(output, false);
  require_same_shape(input, output);
  return channels;
}

void Builder::add_in_place(Op op, ValueId input, ValueId output) {
  add_step(std::move(op), values_[input].planes.channels, {input}, {output});
  steps_.back().in_place = true;
  ++program_steps_;
}

void Builder::add_prelu(const PreluSpec& spec) {
  const std::size_t channels = like(spec.input, spec.output);
  require_size("slope", spec.slope.size, channels);
  add_in_place(Prelu{spec.input, spec.output, weights_.copy(spec.slope.data, channels)}, spec.input,
               spec.output);
}

void Builder::add_clip(const ClipSpec& spec) {
  const std::size_t channels = like(spec.input, spec.output);
  require_size("low", spec.low.size, channels);
  require_size("high", spec.high.size, channels);
  add_in_place(Clip{spec.input, spec.output, weights_.copy(spec.low.data, channels),
                    weights_.copy(spec.high.data, channels)},
               spec.input, spec.output);
}

void Builder::add_sigmoid(ValueId input, ValueId output) {
  like(input, output);
  add_in_place(Sigmoid{input, output}, input, output);
}

void Builder::add_constant(ValueId output, Array<float> values) {
  const Planes& out = shape_of(output, false);
  require_size("values", values.size, out.channels * out.height * out.width);
  add_step(Constant{output, weights_.copy(values.data, values.size)}, out.channels, {}, {output});
  ++program_steps_;
}

void Builder::add_pool_bits(const PoolBitsSpec& spec) {
  const Window window = window_for(spec.window, spec.input, spec.output, true, true);
  require_pool(window, spec.input, spec.output);
  const Planes& in = values_[spec.input].planes;
  if (spec.minimum.size != 0)
    require_size("minimum", spec.minimum.size, divide_up(in.channels, 64));
  // Windows may end before the padding does.
  const std::size_t reach = (window.out_w - 1) * window.stride_x + window.kernel_w;
  const std::size_t row =
      round_up(std::max(window.pad_left + in.width, reach), max_lanes) + 2 * max_lanes;
  const PoolBits op{spec.input, spec.output, window,
                    bytes_of_bits(spec.minimum, in.channels, tables_), row};
  need_scratch(2 * row);
  add_step(op, in.planes, {spec.input}, {spec.output});
  ++program_steps_;
}

}  // namespace bnas
