// The table of functions that one instruction set provides.
#pragma once

#include "core/pixel_steps.h"
#include "core/step_list.h"
#include "core/steps.h"

namespace bnas {

template <class Step>
using Kernel = void (*)(const Step&, const Frame&, Range);

struct Kernels {
  const char* name;
  const char* features;        // what the CPU must have, separated by spaces
  std::size_t byte_lanes;      // output pixels in one vector of a binary convolution
  std::size_t float_lanes;     // output pixels in one vector of a float or 8-bit convolution
  std::size_t binary_vectors;  // vectors that a binary convolution gathers at a time
  std::size_t float_vectors;   // the same for a float convolution
  std::size_t float_outputs;   // outputs in one tile of a float convolution
  std::size_t quad_vectors;    // vectors that an 8-bit convolution gathers at a time
  std::size_t quad_outputs;    // outputs in one tile of an 8-bit convolution
  bool counts_pairs;           // whether a binary convolution can count two steps at a time
  std::size_t quad_rows;       // rows of quads that lie together for each of these outputs
  // xor + popcount + add on registers; returns the binary MACs done.
  std::uint64_t (*peak_loop)(std::size_t rounds);

  // One kernel a step; those of turned and of pixel convolutions and of signs of 8-bit sums are
  // null where the instruction set has none.
#define BNAS_STEP(Step, kernel) Kernel<Step> kernel;
  BNAS_STEPS(BNAS_STEP)
#undef BNAS_STEP
};

}  // namespace bnas
