// The table of functions that one instruction set provides; not the choice between them
// (dispatch/).
#pragma once

#include "core/steps.h"

namespace bnas {

template <class Step>
using Kernel = void (*)(const Step&, const Frame&, Range);

struct Kernels {
  const char* name;
  const char* features;            // what the CPU must have, separated by spaces
  std::size_t byte_lanes;          // output pixels in one vector of a binary convolution
  std::size_t float_lanes;         // output pixels in one vector of a float or 8-bit convolution
  std::size_t binary_vectors;      // vectors that a binary convolution gathers at a time
  std::size_t float_vectors;       // the same for a float convolution
  std::size_t float_outputs;       // outputs in one tile of a float convolution
  std::size_t quad_vectors;        // vectors that an 8-bit convolution gathers at a time
  std::size_t quad_outputs;        // outputs in one tile of an 8-bit convolution
  std::size_t quad_rows;           // rows of quads that lie together for each of these outputs
  Kernel<BinaryConv> binary_conv;  // units: tiles of outputs within groups of vectors
  Kernel<TurnedConv> turned_conv;  // units: blocks of outputs within vectors of pixels; or null
  Kernel<DepthwiseConv> depthwise_conv;  // units: byte planes
  Kernel<Conv2d> conv2d;                 // units: tiles of outputs within groups of vectors
  Kernel<Quantize> quantize;             // units: planes of quads
  Kernel<QuantizedConv> quantized_conv;  // units: tiles of outputs
  Kernel<SplitPhases> split_phases;      // units: planes
  Kernel<RepackBits> repack_bits;        // units: byte planes of the output
  Kernel<Binarize> binarize;             // units: byte planes within groups of vectors
  Kernel<Affine> affine;                 // units: channels, as for all below
  Kernel<Relu> relu;
  Kernel<Prelu> prelu;
  Kernel<Clip> clip;
  Kernel<Sigmoid> sigmoid;
  Kernel<Constant> constant;
  Kernel<PoolBits> pool_bits;  // units: byte planes
  Kernel<Pool> pool;
  Kernel<AddSlice> add_slice;
  Kernel<Multiply> multiply;
  Kernel<CopyPlanes> copy_planes;
  Kernel<GlobalAvgPool> global_avg_pool;
  Kernel<MeanMagnitude> mean_magnitude;  // units: vectors of max_float_lanes pixels
  Kernel<Linear> linear;                 // units: blocks of linear_block outputs
  std::uint64_t (*peak_loop)(
      std::size_t rounds);  // xor + popcount + add on registers; binary MACs done
};

}  // namespace bnas
