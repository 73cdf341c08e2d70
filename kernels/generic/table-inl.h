// Everything that is written once and compiled for each instruction set: included inside the
// anonymous namespace of a file that has defined the primitives (Bytes, Words and Floats with their
// functions).

#include "generic/values-inl.h"

#include "generic/gather-inl.h"

#include "generic/stage-inl.h"

#include "generic/bytewise-inl.h"

#include "generic/binary_conv-inl.h"

#include "generic/depthwise-inl.h"

#include "generic/conv2d-inl.h"

#include "generic/quantize-inl.h"

#include "generic/quads-inl.h"

// Where the inner part is not a matter of vector registers, the including file names another.
#ifndef BNAS_QUANTIZED_TILE
#define BNAS_QUANTIZED_TILE "generic/quantized_tile-inl.h"
#endif
#include BNAS_QUANTIZED_TILE

#include "generic/quantized_conv-inl.h"

#include "generic/pool-inl.h"

#include "generic/repack_bits-inl.h"

#include "generic/elementwise-inl.h"

#include "generic/activation-inl.h"

#include "generic/pool_bits-inl.h"

#include "generic/magnitude-inl.h"

#include "generic/linear-inl.h"

#include "generic/peak-inl.h"

constexpr Kernels make_table(const char* name) {
  return {name,
          BNAS_FEATURES,
          byte_lanes,
          float_lanes,
          binary_vectors,
          float_vectors,
          float_outputs,
          quad_vectors,
          quad_outputs,
          quad_rows,
          &binary_conv,
          nullptr,
          &depthwise_conv,
          &conv2d,
          &quantize,
          &quantized_conv,
          &split_phases,
          &repack_bits,
          &binarize,
          &affine,
          &relu,
          &prelu,
          &clip,
          &sigmoid,
          &constant,
          &pool_bits,
          &pool,
          &add_slice,
          &multiply,
          &copy_planes,
          &global_avg_pool,
          &mean_magnitude,
          &linear,
          &peak_loop};
}
