// Binary convolutions of the builder with outputs in the lanes: when, and the step they become.
#include <algorithm>

#include "core/build/builder.h"

namespace bnas {
namespace {

// Values of the outputs, filled up with zeros.
const float* fill_up(const float* values, std::size_t count, std::size_t padded, Tables& tables) {
  float* to = tables.allocate<float>(padded);
  std::copy(values, values + count, to);
  return to;
}

}  // namespace

// Whether fewer vectors are counted, by a tenth: turning the result costs some too.
bool Builder::turning_pays(const BinaryShape& shape, const Window& window) const {
  if (kernels_.turned_conv == nullptr || shape.groups > 1) return false;
  const std::size_t lanes = kernels_.byte_lanes, pixels = window.out_h * window.out_w;
  return 10 * pixels * divide_up(shape.outputs, lanes) <
         9 * shape.outputs * divide_up(pixels, lanes);
}

void Builder::add_turned_conv(const BinaryConvSpec& spec, const BinaryShape& shape,
                              const Window& window, std::vector<Stage> stages) {
  const Planes in = values_[spec.input].planes;
  const std::size_t lanes = kernels_.byte_lanes, block = kernels_.binary_vectors * lanes;
  const std::size_t padded = round_up(shape.outputs, lanes);
  const Geometry geometry = make_geometry(window, lanes, in.planes, max_lanes);
  const Geometry single = make_geometry(window, 1, in.planes, max_lanes);
  const DotBase base(spec, shape, single, 1);
  std::vector<ValueId> writes;
  auto* limits = tables_.allocate<std::int16_t>(stages.size() * padded);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    Stage& stage = stages[i];
    writes.push_back(stage.output);
    if (stage.kind == Stage::Kind::scale) {
      stage.scale = fill_up(stage.scale, shape.outputs, padded, weights_);
      if (stage.shift != nullptr)
        stage.shift = fill_up(stage.shift, shape.outputs, padded, weights_);
      continue;
    }
    std::transform(stage.limit, stage.limit + shape.outputs, limits + i * padded,
                   [](std::uint32_t pair) { return static_cast<std::int16_t>(pair); });
  }
  const ValueId input = split_phases(geometry, window, spec.input, true);
  const BinaryConv conv{input,
                        make_taps(geometry, window),
                        in.planes,
                        shape.taps * in.planes,
                        shape.outputs,
                        shape.sections(),
                        block_bits(spec.weight.data, shape, block, lanes, weights_),
                        false,
                        base.turned_words(lanes, tables_),
                        tables_.copy(stages),
                        stages.size()};
  const TurnedConv op{conv, tables_.copy(single.pattern), geometry.pixels, limits};
  // Gathered bytes of a vector; those of a few pixels, and what is made of them.
  need_scratch(conv.steps * (block + bits_per_plane * (1 + sizeof(std::uint32_t))) +
               3 * cache_line);
  add_step(op, conv.taps.vectors * divide_up(shape.outputs, block), {input}, writes);
}

}  // namespace bnas
