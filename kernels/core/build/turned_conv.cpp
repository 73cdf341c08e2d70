#include "core/build/turned_conv.h"

#include <algorithm>

#include "core/build/stages.h"
#include "core/build/windows.h"
#include "core/sizes.h"

namespace bnas {
namespace {

// Values of the outputs, filled up with zeros.
const float* fill_up(const float* values, std::size_t count, std::size_t padded, Tables& tables) {
  float* to = tables.allocate<float>(padded);
  std::copy(values, values + count, to);
  return to;
}

// Fills the scales and shifts up to `padded` outputs; returns the limits of all stages likewise.
const std::int16_t* fill_up_stages(Draft& draft, std::vector<Stage>& stages, std::size_t outputs,
                                   std::size_t padded) {
  auto* limits = draft.tables.allocate<std::int16_t>(product(stages.size(), padded));
  std::int16_t* next = limits;
  for (Stage& stage : stages) {
    if (stage.kind == Stage::Kind::scale) {
      stage.scale = fill_up(stage.scale, outputs, padded, draft.weights);
      if (stage.shift != nullptr)
        stage.shift = fill_up(stage.shift, outputs, padded, draft.weights);
    } else {
      std::transform(stage.limit, stage.limit + outputs, next,
                     [](std::uint32_t pair) { return static_cast<std::int16_t>(pair); });
    }
    next += padded;
  }
  return limits;
}

}  // namespace

bool turning_pays(const Kernels& kernels, const BinaryShape& shape, const Window& window) {
  if (kernels.turned_conv == nullptr || shape.groups > 1) return false;
  const std::uint64_t lanes = kernels.byte_lanes;
  const std::uint64_t pixels = std::uint64_t{window.out_h} * window.out_w;
  const std::uint64_t outputs = shape.outputs;
  return 10 * pixels * ((outputs + lanes - 1) / lanes) <
         9 * outputs * ((pixels + lanes - 1) / lanes);
}

void add_turned_conv(Draft& draft, const BinaryConvSpec& spec, const BinaryShape& shape,
                     const Window& window, std::vector<Stage> stages) {
  const Planes in = draft.planes(spec.input);
  const std::size_t lanes = draft.kernels.byte_lanes;
  const std::size_t block = draft.kernels.binary_vectors * lanes;
  const Geometry geometry = make_geometry(window, lanes, in.planes, max_lanes);
  const Geometry single = make_geometry(window, 1, in.planes, max_lanes);
  const DotBase base(spec.weight.data, spec.fold, shape, single, 1);
  const std::int16_t* limits =
      fill_up_stages(draft, stages, shape.outputs, round_up(shape.outputs, lanes));
  const ValueId input = split_phases(draft, geometry, window, spec.input);
  const BinaryConv conv{input,
                        make_taps(draft, geometry, window),
                        in.planes,
                        shape.taps * in.planes,
                        shape.outputs,
                        shape.sections(),
                        block_bits(spec.weight.data, shape, block, lanes, draft.weights),
                        false,
                        base.turned_words(lanes, draft.tables),
                        draft.tables.copy(stages),
                        stages.size()};
  const TurnedConv op{conv, draft.tables.copy(single.pattern), geometry.pixels, limits};
  // Gathered bytes of a vector; those of a few pixels, and what is made of them.
  draft.need_scratch(sum(product(conv.steps, block + bits_per_plane * (1 + sizeof(std::uint32_t))),
                         3 * cache_line));
  draft.add_step(op, product(conv.taps.vectors, divide_up(shape.outputs, block)), {input},
                 outputs_of(stages));
}

}  // namespace bnas
