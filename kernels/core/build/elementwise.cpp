// Steps that look at one element at a time, and constants.
#include "core/build/draft.h"

namespace bnas {
namespace {

const float* keep(Draft& draft, Array<float> values) {
  return draft.weights.copy(values.data, values.size);
}

}  // namespace

void build(Draft& draft, const AffineSpec& s) {
  const Affine op{s.input, s.output, keep(draft, s.scale), keep(draft, s.shift)};
  draft.add_in_place(op, s.input, s.output);
}

void build(Draft& draft, const ReluSpec& s) {
  draft.add_in_place(Relu{s.input, s.output}, s.input, s.output);
}

void build(Draft& draft, const PreluSpec& s) {
  draft.add_in_place(Prelu{s.input, s.output, keep(draft, s.slope)}, s.input, s.output);
}

void build(Draft& draft, const ClipSpec& s) {
  const Clip op{s.input, s.output, keep(draft, s.low), keep(draft, s.high)};
  draft.add_in_place(op, s.input, s.output);
}

void build(Draft& draft, const SigmoidSpec& s) {
  draft.add_in_place(Sigmoid{s.input, s.output}, s.input, s.output);
}

void build(Draft& draft, const HardSigmoidSpec& s) {
  const HardSigmoid op{s.input, s.output, s.terms.data[0], s.terms.data[1]};
  draft.add_in_place(op, s.input, s.output);
}

// Where the factor is the input, each element is read before it is written.
void build(Draft& draft, const MultiplySpec& s) {
  draft.add_in_place(Multiply{s.input, s.factor, s.output}, s.input, s.output);
  draft.last_step()->reads.push_back(s.factor);
}

void build(Draft& draft, const ConstantSpec& s) {
  draft.add_constant({s.output, keep(draft, s.values)});
}

}  // namespace bnas
