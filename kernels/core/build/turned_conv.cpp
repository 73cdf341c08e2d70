#include "core/build/turned_conv.h"

#include <algorithm>

#include "core/build/stages.h"
#include "core/build/windows.h"
#include "core/sizes.h"

namespace bnas {

void add_turned_conv(Draft& draft, const BinaryConvSpec& spec, const BinaryShape& shape,
                     const Window& window, std::vector<Stage> stages) {
  const Planes in = draft.planes(spec.input);
  const std::size_t lanes = draft.kernels.byte_lanes;
  const std::size_t block = draft.kernels.binary_vectors * lanes;
  const Geometry geometry = make_geometry(window, lanes, in.planes, Kind::bits);
  const Geometry single = make_geometry(window, 1, in.planes, Kind::bits);
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
                        0,
                        0,
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
