// Binary convolutions of the builder with outputs in the lanes: when, and the step they become.
#include <algorithm>

#include "core/builder.h"

namespace bnas {
namespace {

// Values of the outputs, filled up with zeros.
template <class To, class From>
const To* fill_up(const From* values, std::size_t count, std::size_t padded, Tables& tables) {
  To* to = tables.allocate<To>(padded);
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<To>(values[i]);
  return to;
}

}  // namespace

// Whether fewer vectors are counted, by a tenth: turning the result costs some too.
bool Builder::turning_pays(const BinaryShape& shape, const Window& window) const {
  if (kernels_.turned_conv == nullptr) return false;
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
  std::vector<const std::int16_t*> limits;
  for (Stage& stage : stages) {
    const bool threshold = stage.kind == Stage::Kind::threshold;
    writes.push_back(stage.output);
    limits.push_back(threshold ? fill_up<std::int16_t>(stage.limit, shape.outputs, padded, tables_)
                               : nullptr);
    if (!threshold) stage.scale = fill_up<float>(stage.scale, shape.outputs, padded, weights_);
  }
  const Stage* kept = tables_.copy(stages);
  std::vector<TurnedConv::TurnedStage> turned;
  for (std::size_t i = 0; i < stages.size(); ++i) turned.push_back({kept + i, limits[i]});
  const ValueId input = split_phases(geometry, window, spec.input, true);
  const BinaryConv conv{input,         make_taps(geometry, window),
                        in.planes,     shape.taps * in.planes,
                        shape.outputs, block_bits(spec.weight.data, shape, block, lanes, weights_),
                        false,         base.turned_words(lanes, tables_),
                        kept,          stages.size()};
  const TurnedConv op{conv, tables_.copy(single.pattern), geometry.pixels, tables_.copy(turned)};
  // Gathered bytes of a vector; those of a few pixels, and what is made of them.
  need_scratch(conv.steps * (block + bits_per_plane * (1 + sizeof(std::uint32_t))) +
               3 * cache_line);
  add_step(op, conv.taps.vectors * divide_up(shape.outputs, block), {input}, writes);
}

}  // namespace bnas
