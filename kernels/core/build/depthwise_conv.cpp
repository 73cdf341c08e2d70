// Binary convolutions of each channel alone.
#include "core/build/stages.h"
#include "core/build/windows.h"
#include "core/sizes.h"

namespace bnas {
namespace {

constexpr std::size_t greatest_dot = 32767;

// Packed rows of bits, (ky, kx), to [byte plane][tap] bytes, a bit for each of eight channels.
const std::uint8_t* plane_bits(const std::uint64_t* rows, const BinaryShape& shape,
                               Tables& tables) {
  const std::size_t words = divide_up(shape.taps, 64);
  auto* bytes = tables.allocate<std::uint8_t>(product(planes_for(shape.outputs), shape.taps));
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

void build(Draft& draft, const DepthwiseConvSpec& s) {
  const Kernels& kernels = draft.kernels;
  const Window window = window_of(draft, s.window, s.input, s.stages[0].output);
  const Planes in = draft.planes(s.input);
  const BinaryShape shape{in.channels, 1, taps_of(window)};  // a filter reads one channel
  draft.require(
      shape.taps <= greatest_dot,
      "the engine holds dot products in 16 bits; this one can reach " + std::to_string(shape.taps));
  const std::vector<Stage> stages = make_stages(draft, s.stages, shape.sections());
  const Geometry geometry = make_geometry(window, kernels.byte_lanes, in.planes, Kind::bits);
  const ValueId input = split_phases(draft, geometry, window, s.input);
  const Taps taps = make_taps(draft, geometry, window);
  const DotBase base(s.weight.data, {}, shape, geometry, kernels.byte_lanes);
  const BinaryConv conv{input,
                        taps,
                        in.planes,
                        shape.taps,
                        shape.outputs,
                        shape.sections(),
                        plane_bits(s.weight.data, shape, draft.weights),
                        false,
                        0,
                        0,
                        false,
                        base.words(draft.tables),
                        draft.tables.copy(stages),
                        stages.size()};
  draft.need_scratch(shape.taps * kernels.byte_lanes);
  draft.add_step(DepthwiseConv{conv}, in.planes, {input}, outputs_of(stages));
}

}  // namespace bnas
