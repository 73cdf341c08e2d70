// The steps of the builder that came with format 1.2: depthwise convolutions, and the activation
// scale.
#include "core/build/builder.h"

namespace bnas {
namespace {

// Packed rows of bits, (ky, kx), to [byte plane][tap] bytes, a bit for each of eight channels.
const std::uint8_t* plane_bits(const std::uint64_t* rows, const BinaryShape& shape,
                               Tables& tables) {
  const std::size_t words = divide_up(shape.taps, 64);
  auto* bytes =
      tables.allocate<std::uint8_t>(divide_up(shape.outputs, bits_per_plane) * shape.taps);
  for (std::size_t c = 0; c < shape.outputs; ++c) {
    for (std::size_t tap = 0; tap < shape.taps; ++tap) {
      const std::uint64_t bit = rows[c * words + tap / 64] >> tap % 64 & 1;
      std::uint8_t& byte = bytes[c / bits_per_plane * shape.taps + tap];
      byte = static_cast<std::uint8_t>(byte | bit << c % bits_per_plane);
    }
  }
  return bytes;
}

}  // namespace

void Builder::add_depthwise_conv2d(const BinaryConvSpec& spec) {
  require(!spec.stages.empty(), "a binary convolution needs at least one stage");
  const bool first_bits = spec.stages[0].kind == Stage::Kind::threshold;
  const Window window =
      window_for(spec.window, spec.input, spec.stages[0].output, true, first_bits);
  const Planes in = values_[spec.input].planes;
  const BinaryShape shape{in.channels, 1, taps_of(window)};  // a filter reads one channel
  require_size("weight", spec.weight.size, shape.outputs * divide_up(shape.taps, 64));
  require_size("fold", spec.fold.size, 0);
  require(shape.taps <= 32767, "the engine holds dot products in 16 bits; this one can reach " +
                                   std::to_string(shape.taps));
  const std::vector<Stage> stages = make_stages(spec, window, shape.sections());
  std::vector<ValueId> writes;
  for (const Stage& stage : stages) writes.push_back(stage.output);
  const Geometry geometry = make_geometry(window, kernels_.byte_lanes, in.planes, max_lanes);
  const ValueId input = split_phases(geometry, window, spec.input, true);
  const Taps taps = make_taps(geometry, window);
  const DotBase base(spec, shape, geometry, kernels_.byte_lanes);
  const BinaryConv conv{input,
                        taps,
                        in.planes,
                        shape.taps,
                        shape.outputs,
                        {1, shape.outputs},
                        plane_bits(spec.weight.data, shape, weights_),
                        false,
                        base.words(tables_),
                        tables_.copy(stages),
                        stages.size()};
  need_scratch(shape.taps * kernels_.byte_lanes);
  add_step(DepthwiseConv{conv}, in.planes, {input}, writes);
  ++program_steps_;
}

void Builder::add_mean_magnitude(const MeanMagnitudeSpec& spec) {
  const Planes& in = shape_of(spec.input, false);
  const Planes& out = shape_of(spec.output, false);
  require(out.channels == 1 && out.height == in.height && out.width == in.width,
          "mean_magnitude needs an output of one channel and the input's pixels");
  require_size("scale", spec.scale.size, in.channels);
  require_size("shift", spec.shift.size, in.channels);
  require_size("terms", spec.terms.size, 2);
  const MeanMagnitude op{spec.input,
                         spec.output,
                         weights_.copy(spec.scale.data, in.channels),
                         weights_.copy(spec.shift.data, in.channels),
                         spec.terms.data[0],
                         spec.terms.data[1]};
  add_step(op, divide_up(in.stride, max_float_lanes), {spec.input}, {spec.output});
  ++program_steps_;
}

void Builder::add_multiply(ValueId input, ValueId factor, ValueId output) {
  const Planes& in = shape_of(input, false);
  const Planes& by = shape_of(factor, false);
  shape_of(output, false);
  require_same_shape(input, output);
  const bool whole = by.height == in.height && by.width == in.width;
  require((by.channels == 1 || by.channels == in.channels) &&
              (whole || (by.height == 1 && by.width == 1)),
          "multiply needs a factor with one channel or the input's, and one pixel or the input's");
  add_step(Multiply{input, factor, output}, in.channels, {input, factor}, {output});
  // Where the factor is the input, each element is read before it is written.
  steps_.back().in_place = true;
  ++program_steps_;
}

}  // namespace bnas
