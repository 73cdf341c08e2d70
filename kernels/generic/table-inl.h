// Everything that is written once and compiled for each instruction set: included inside the
// anonymous namespace of a file that has defined the primitives (Bytes, Words and Floats with their
// functions).

#include "generic/values-inl.h"

#include "generic/gather-inl.h"

#include "generic/stage-inl.h"

#include "generic/bytewise-inl.h"

#include "generic/binary_conv-inl.h"

#include "generic/conv2d-inl.h"

#include "generic/pool-inl.h"

#include "generic/elementwise-inl.h"

#include "generic/linear-inl.h"

#include "generic/peak-inl.h"

constexpr Kernels make_table(const char* name) {
  return {name,          BNAS_FEATURES,    byte_lanes,   float_lanes,    binary_vectors,
          float_vectors, float_outputs,    &binary_conv, &conv2d,        &split_phases,
          &binarize,     &affine,          &relu,        &pool,          &add_slice,
          &copy_planes,  &global_avg_pool, &linear,      &encode_weight, &peak_loop};
}
