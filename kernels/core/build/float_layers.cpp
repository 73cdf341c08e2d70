// Convolutions and linear layers in full precision.
#include <algorithm>

#include "core/build/draft.h"
#include "core/build/windows.h"
#include "core/repack/floats.h"
#include "core/sizes.h"

namespace bnas {
namespace {

constexpr std::size_t rows_in_cache = 128;  // times 4 vectors of 64 bytes: 32 KiB

}  // namespace

void build(Draft& draft, const Conv2dSpec& s) {
  const Kernels& kernels = draft.kernels;
  const Window window = window_of(draft, s.window, s.input, s.output);
  const std::size_t planes = draft.planes(s.input).channels;
  const std::size_t outputs = draft.planes(s.output).channels, taps = taps_of(window);
  const Sections sections{s.groups, outputs / s.groups};
  const std::size_t channels = planes / s.groups;
  const Geometry geometry = make_geometry(window, kernels.float_lanes, planes, Kind::f32);
  const ValueId input = split_phases(draft, geometry, window, s.input);
  const Conv2d op{
      input,
      s.output,
      make_taps(draft, geometry, window),
      channels,
      outputs,
      sections,
      std::max<std::size_t>(1, rows_in_cache / taps),
      tile_weights(s.weight.data, sections, channels * taps, kernels.float_outputs, draft.weights),
      pad_bias(s.bias, outputs, draft.weights),
      s.relu};
  draft.need_scratch(
      product(op.chunk, taps, kernels.float_vectors * kernels.float_lanes * sizeof(float)));
  const std::size_t strips = divide_up(op.taps.vectors, kernels.float_vectors);
  const std::size_t tiles = s.groups * divide_up(sections.outputs, kernels.float_outputs);
  draft.add_step(op, product(strips, tiles), {input}, {s.output});
}

void build(Draft& draft, const LinearSpec& s) {
  const Planes& in = draft.planes(s.input);
  const std::size_t outputs = draft.planes(s.output).channels;
  const std::size_t padded = round_up(outputs, max_float_lanes);
  const Linear op{s.input,
                  s.output,
                  outputs,
                  padded,
                  transpose_weights(s.weight.data, outputs, in.channels * in.height * in.width,
                                    padded, draft.weights),
                  pad_bias(s.bias, padded, draft.weights)};
  draft.add_step(op, divide_up(padded, linear_block), {s.input}, {s.output});
}

}  // namespace bnas
