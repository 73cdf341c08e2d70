// Signs of floats.
#include <variant>

#include "core/build/draft.h"
#include "core/repack/binary.h"
#include "core/sizes.h"

namespace bnas {
namespace {

// Lets the step before do the work as well, if it binarizes the same value.
bool join(Draft& draft, ValueId input, const Binarize::Signs& signs) {
  Step* last = draft.last_step();
  auto* before = last == nullptr ? nullptr : std::get_if<Binarize>(&last->op);
  if (before == nullptr || before->input != input || before->count == 2) return false;
  before->signs[before->count++] = signs;
  draft.also_writes(signs.output);
  return true;
}

}  // namespace

void build(Draft& draft, const BinarizeSpec& s) {
  const Planes& in = draft.planes(s.input);
  const Binarize::Signs signs{s.output, draft.weights.copy(s.threshold.data, in.channels),
                              invert_flips(s.flip.data, {1, in.channels}, draft.weights)};
  if (join(draft, s.input, signs)) return;
  const std::size_t strips =
      divide_up(in.height * in.width, draft.kernels.binary_vectors * draft.kernels.byte_lanes);
  draft.add_step(Binarize{s.input, 1, {signs, {}}}, draft.planes(s.output).planes * strips,
                 {s.input}, {s.output});
}

}  // namespace bnas
