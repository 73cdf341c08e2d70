// The 8-bit convolution: its input is quantized first.
#include <algorithm>

#include "core/build/draft.h"
#include "core/build/windows.h"
#include "core/repack/quads.h"
#include "core/sizes.h"

namespace bnas {
namespace {

// Times 2 vectors of 64 bytes: 64 KiB. That is more than a first-level cache, but rows come in
// order and few, and sums that stay in registers are worth more.
constexpr std::size_t rows_at_a_time = 512;

// Planes to gather at a time: whole blocks of rows, whatever the number of taps.
std::size_t chunk_of(std::size_t taps, std::size_t block) {
  return std::max<std::size_t>(1, rows_at_a_time / taps / block) * block;
}

// The input in planes of quads.
ValueId quantize(Draft& draft, const QuantizedConvSpec& s, std::size_t planes) {
  const Planes in = draft.planes(s.input);
  const ValueId quads = draft.add_hidden(Kind::f32, planes, in.height, in.width);
  draft.add_step(
      Quantize{s.input, quads, in.channels, draft.weights.copy(s.input_scale.data, in.channels),
               draft.weights.copy(s.input_zero.data, in.channels)},
      planes, {s.input}, {quads});
  return quads;
}

// What is gathered of a plane, and the weights that belong to it.
struct Rows {
  std::size_t of_a_plane;
  const QuadFill* fills;
  const std::uint32_t* weights;
};

Rows rows_of(Draft& draft, const QuantizedConvSpec& s, const QuadShape& shape,
             const Geometry& geometry, const QuadTile& tile) {
  const bool filled = shape.channels == channels_per_quad - 1 && shape.taps >= channels_per_quad &&
                      geometry.gather == Gather::shifted;
  if (!filled) return {shape.taps, nullptr, tile_quads(s.weight.data, shape, tile, draft.weights)};
  const FilledQuads quads = fill_quads(s.weight.data, shape);
  const QuadShape full{shape.outputs, channels_per_quad, quads.fills.size()};
  return {full.taps, draft.tables.copy(quads.fills),
          tile_quads(quads.weights.data(), full, tile, draft.weights)};
}

}  // namespace

void build(Draft& draft, const QuantizedConvSpec& s) {
  const Kernels& kernels = draft.kernels;
  const Window window = window_of(draft, s.window, s.input, s.output);
  const QuadShape shape{draft.planes(s.output).channels, draft.planes(s.input).channels,
                        taps_of(window)};
  const std::size_t planes = shape.planes();
  const ValueId quads = quantize(draft, s, planes);
  const Geometry geometry = make_geometry(window, kernels.float_lanes, planes, Kind::f32);
  const ValueId input = split_phases(draft, geometry, window, quads);
  const QuadTile tile{kernels.quad_outputs, kernels.quad_rows};
  const Rows rows = rows_of(draft, s, shape, geometry, tile);
  const std::size_t chunk = std::min(planes, chunk_of(rows.of_a_plane, tile.rows));
  const QuantizedConv op{input,
                         s.output,
                         make_taps(draft, geometry, window),
                         planes,
                         shape.outputs,
                         chunk,
                         rows.of_a_plane,
                         rows.fills,
                         quantized_zeros(s.input_zero, draft.weights),
                         round_up(planes * rows.of_a_plane, tile.rows),
                         rows.weights,
                         draft.weights.copy(s.offset.data, shape.outputs),
                         draft.weights.copy(s.scale.data, shape.outputs),
                         s.relu};
  draft.need_scratch(product(round_up(chunk * rows.of_a_plane, tile.rows),
                             kernels.quad_vectors * kernels.float_lanes * sizeof(std::uint32_t)));
  draft.add_step(op, divide_up(shape.outputs, tile.outputs), {input}, {s.output});
}

}  // namespace bnas
