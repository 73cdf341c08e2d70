// The steps of a program in the terms of docs/format.md, and what builds each. Whoever makes a spec
// has checked it (reader/steps/): shapes fit, tensors have the sizes that the shapes ask for, and
// values are assigned before they are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/steps.h"

namespace bnas {

class Draft;

// Lives elsewhere, as long as the call that is given it.
template <class T>
struct Array {
  const T* data = nullptr;
  std::size_t size = 0;
};

struct WindowSpec {
  std::size_t kernel[2], stride[2], padding[4], dilation[2];
};

struct Conv2dSpec {
  ValueId input, output;
  Array<float> weight, bias;  // bias may be empty
  WindowSpec window;
  bool relu;
  std::size_t groups = 1;
};

struct QuantizedConvSpec {
  ValueId input, output;
  Array<std::int8_t> weight;
  Array<std::int32_t> offset;
  Array<float> scale, input_scale, input_zero;
  WindowSpec window;
  bool relu;
};

struct StageSpec {
  Stage::Kind kind;
  ValueId output;
  Array<std::int32_t> threshold;
  Array<std::uint64_t> flip;
  Array<float> scale, shift;  // shift may be empty
  bool relu;
  bool has_addend;
  ValueId addend;
  std::size_t at;
};

struct BinaryConvSpec {
  ValueId input;
  std::size_t outputs;
  Array<std::uint64_t> weight;
  Array<std::int32_t> fold;  // may be empty
  WindowSpec window;
  std::vector<StageSpec> stages;
  std::size_t groups = 1;
};

struct DepthwiseConvSpec {
  ValueId input;
  Array<std::uint64_t> weight;
  WindowSpec window;
  std::vector<StageSpec> stages;
};

struct PoolSpec {
  ValueId input, output;
  WindowSpec window;
  bool average;
};

struct PoolBitsSpec {
  ValueId input, output;
  WindowSpec window;
  Array<std::uint64_t> minimum;  // packed, may be empty
};

struct BinarizeSpec {
  ValueId input, output;
  Array<float> threshold;
  Array<std::uint64_t> flip;
};

struct AffineSpec {
  ValueId input, output;
  Array<float> scale, shift;
};

struct ReluSpec {
  ValueId input, output;
};

struct PreluSpec {
  ValueId input, output;
  Array<float> slope;
};

struct ClipSpec {
  ValueId input, output;
  Array<float> low, high;
};

struct SigmoidSpec {
  ValueId input, output;
};

struct HardSigmoidSpec {
  ValueId input, output;
  Array<float> terms;  // the slope, and the value at 0
};

struct ConstantSpec {
  ValueId output;
  Array<float> values;
};

struct MultiplySpec {
  ValueId input, factor, output;
};

struct MeanMagnitudeSpec {
  ValueId input, output;
  Array<float> scale, shift, terms;
};

struct AddSliceSpec {
  ValueId input, addend, output;
  std::size_t at;
};

struct ConcatSpec {
  std::vector<ValueId> inputs;
  ValueId output;
};

struct SelectChannelsSpec {
  ValueId input, output;
  Array<std::int32_t> index;
};

struct GlobalAvgPoolSpec {
  ValueId input, output;
};

struct LinearSpec {
  ValueId input, output;
  Array<float> weight, bias;  // bias may be empty
};

// Each adds the engine's steps for one step of a program. Throws std::invalid_argument where the
// engine cannot run it.
void build(Draft& draft, const Conv2dSpec& spec);
void build(Draft& draft, const QuantizedConvSpec& spec);
void build(Draft& draft, const BinaryConvSpec& spec);
void build(Draft& draft, const DepthwiseConvSpec& spec);
void build(Draft& draft, const PoolSpec& spec);
void build(Draft& draft, const PoolBitsSpec& spec);
void build(Draft& draft, const BinarizeSpec& spec);
void build(Draft& draft, const AffineSpec& spec);
void build(Draft& draft, const ReluSpec& spec);
void build(Draft& draft, const PreluSpec& spec);
void build(Draft& draft, const ClipSpec& spec);
void build(Draft& draft, const SigmoidSpec& spec);
void build(Draft& draft, const HardSigmoidSpec& spec);
void build(Draft& draft, const ConstantSpec& spec);
void build(Draft& draft, const MultiplySpec& spec);
void build(Draft& draft, const MeanMagnitudeSpec& spec);
void build(Draft& draft, const AddSliceSpec& spec);
void build(Draft& draft, const ConcatSpec& spec);
void build(Draft& draft, const SelectChannelsSpec& spec);
void build(Draft& draft, const GlobalAvgPoolSpec& spec);
void build(Draft& draft, const LinearSpec& spec);

}  // namespace bnas
