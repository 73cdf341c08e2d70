// Steps that move channels or add them: slices, concatenation, selection.
#include "core/build/draft.h"

namespace bnas {

void build(Draft& draft, const AddSliceSpec& s) {
  draft.copy_for_update(s.input, s.output);
  draft.add_step(AddSlice{s.addend, s.output, s.at}, draft.planes(s.addend).channels, {s.addend},
                 {s.output});
}

void build(Draft& draft, const ConcatSpec& s) {
  std::size_t at = 0;
  for (const ValueId input : s.inputs) {
    const std::size_t channels = draft.planes(input).channels;
    draft.add_step(CopyPlanes{input, s.output, at, channels, nullptr}, channels, {input},
                   {s.output});
    at += channels;
  }
}

void build(Draft& draft, const SelectChannelsSpec& s) {
  const std::int32_t* index = draft.weights.copy(s.index.data, s.index.size);
  draft.add_step(CopyPlanes{s.input, s.output, 0, s.index.size, index}, s.index.size, {s.input},
                 {s.output});
}

}  // namespace bnas
