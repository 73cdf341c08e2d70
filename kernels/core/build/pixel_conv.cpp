#include "core/build/pixel_conv.h"

#include "core/build/stages.h"
#include "core/build/tap_sets.h"
#include "core/repack/pixel_words.h"
#include "core/sizes.h"

namespace bnas {

void add_pixel_conv(Draft& draft, const BinaryConvSpec& spec, const BinaryShape& shape,
                    const Window& window, std::vector<Stage> stages) {
  const std::size_t words = divide_up(shape.channels, channels_per_word);
  const std::size_t padded = round_up(shape.outputs, word_lanes);
  const Planes in = draft.planes(spec.input);
  const ValueId input = draft.add_hidden(Kind::f32, words, in.height, in.width);
  const std::size_t pixels = product(in.height, in.width);
  draft.add_step(PackPixels{spec.input, input, words}, divide_up(pixels, max_lanes), {spec.input},
                 {input});
  const TapSets sets = make_tap_sets(window, words);
  const std::int16_t* limits =
      fill_up_stages(draft, stages, shape.outputs, sum(padded, pixel_block));
  const std::size_t bands = sets.first.size() - 1;
  const PixelConv op{input,
                     words,
                     shape.taps,
                     shape.outputs,
                     padded,
                     block_words(spec.weight.data, shape, draft.weights),
                     set_bases(spec.fold, shape, sets, draft.tables),
                     draft.tables.copy(sets.sets),
                     draft.tables.copy(sets.tap),
                     draft.tables.copy(sets.offset),
                     draft.tables.copy(sets.tiles),
                     draft.tables.copy(sets.first),
                     bands,
                     window.out_h * window.out_w,
                     draft.tables.copy(stages),
                     stages.size(),
                     limits};
  draft.add_step(op, product(bands, pixel_blocks(padded)), {input}, outputs_of(stages));
}

}  // namespace bnas
