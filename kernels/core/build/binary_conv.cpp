// Binary convolutions, in groups or not.
#include <utility>

#include "core/build/layouts.h"
#include "core/build/pixel_conv.h"
#include "core/build/sections.h"
#include "core/build/stages.h"
#include "core/build/turned_conv.h"
#include "core/build/windows.h"
#include "core/sizes.h"

namespace bnas {
namespace {

constexpr std::int64_t greatest_dot = 32767;

// Fewer are not worth the time of setting lanes back.
constexpr std::size_t fewest_steps = 4;

std::size_t later_steps(std::uint8_t greatest_room) {
  const std::size_t steps = (255u - greatest_room) / bits_per_plane;
  return steps < fewest_steps ? 0 : steps;
}

// Gives bits that begin a new plane in each section a value of their own, where the program's has
// no such gaps.
void align_outputs(Draft& draft, const Sections& sections, const Window& window,
                   std::vector<Stage>& stages) {
  if (sections.count == 1 || sections.outputs % bits_per_plane == 0) return;
  for (Stage& stage : stages) {
    if (stage.kind == Stage::Kind::threshold)
      stage.output = add_aligned(draft, sections, window.out_h, window.out_w);
  }
}

void add_bit_conv(Draft& draft, const BinaryConvSpec& spec, const BinaryShape& shape,
                  const Window& window, std::vector<Stage> stages) {
  const Kernels& kernels = draft.kernels;
  const Sections sections = shape.sections();
  const std::size_t planes = planes_for(shape.channels);  // that an output reads
  const ValueId aligned = align_input(draft, spec.input, shape.groups);
  align_outputs(draft, sections, window, stages);
  const Geometry geometry =
      make_geometry(window, kernels.byte_lanes, draft.planes(aligned).planes, Kind::bits);
  const ValueId input = split_phases(draft, geometry, window, aligned);
  const Taps taps = make_taps(draft, geometry, window);
  const DotBase base(spec.weight.data, spec.fold, shape, geometry, kernels.byte_lanes);
  std::uint8_t greatest_room = 0;
  const bool bytewise = make_rooms(draft, spec.stages, base, shape, stages, greatest_room);
  const BinaryConv op{input,
                      taps,
                      planes,
                      shape.taps * planes,
                      shape.outputs,
                      sections,
                      tile_bits(spec.weight.data, shape, draft.weights),
                      bytewise,
                      greatest_room,
                      later_steps(greatest_room),
                      !bytewise && kernels.counts_pairs && shape.taps * planes > steps_per_byte,
                      bytewise ? nullptr : base.words(draft.tables),
                      draft.tables.copy(stages),
                      stages.size()};
  draft.need_scratch(sum(product(op.steps + 1, kernels.binary_vectors * kernels.byte_lanes),
                         sum(product(op.steps, shape.outputs, sizeof(std::uint32_t)), cache_line)));
  const std::size_t strips = divide_up(taps.vectors, kernels.binary_vectors);
  draft.add_step(op, product(strips, sections.count * planes_for(sections.outputs)), {input},
                 outputs_of(stages));
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (stages[i].output != spec.stages[i].output)
      close_gaps(draft, stages[i].output, spec.stages[i].output, sections);
  }
}

}  // namespace

void build(Draft& draft, const BinaryConvSpec& s) {
  const Window window = window_of(draft, s.window, s.input, s.stages[0].output);
  const BinaryShape shape{s.outputs, draft.planes(s.input).channels / s.groups, taps_of(window),
                          s.groups};
  const std::int64_t bound = dot_bound(s.fold, shape);
  draft.require(
      bound <= greatest_dot,
      "the engine holds dot products in 16 bits; this one can reach " + std::to_string(bound));
  std::vector<Stage> stages = make_stages(draft, s.stages, shape.sections());
  switch (choose_layout(draft.kernels, shape, window)) {
    case Layout::planes:
      return add_bit_conv(draft, s, shape, window, std::move(stages));
    case Layout::turned:
      return add_turned_conv(draft, s, shape, window, std::move(stages));
    case Layout::pixels:
      return add_pixel_conv(draft, s, shape, window, std::move(stages));
  }
}

}  // namespace bnas
