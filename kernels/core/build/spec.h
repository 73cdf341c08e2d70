// The steps of a program as a caller describes them, in the terms of docs/format.md: what the
// builder takes. Not what the kernels see (steps.h). Pointers need to live as long as the call
// only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/steps.h"

namespace bnas {

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

  std::size_t output_size() const {
    return kind == Stage::Kind::threshold ? threshold.size : scale.size;
  }
};

struct BinaryConvSpec {
  ValueId input;
  Array<std::uint64_t> weight;
  Array<std::int32_t> fold;  // may be empty
  WindowSpec window;
  std::vector<StageSpec> stages;
  std::size_t groups = 1;
};

struct PoolSpec {
  ValueId input, output;
  WindowSpec window;
  bool average;
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

struct MeanMagnitudeSpec {
  ValueId input, output;
  Array<float> scale, shift, terms;
};

struct PreluSpec {
  ValueId input, output;
  Array<float> slope;
};

struct ClipSpec {
  ValueId input, output;
  Array<float> low, high;
};

struct PoolBitsSpec {
  ValueId input, output;
  WindowSpec window;
  Array<std::uint64_t> minimum;  // packed, may be empty
};

struct AddSliceSpec {
  ValueId input, addend, output;
  std::size_t at;
};

struct LinearSpec {
  ValueId input, output;
  Array<float> weight, bias;  // bias may be empty
};

}  // namespace bnas
