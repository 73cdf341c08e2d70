// Everything that is written once and compiled for each instruction set: included inside the
// anonymous namespace of a file that has defined the primitives (primitives-inl.h).

#include "generic/primitives-inl.h"

#include "generic/values-inl.h"

#include "generic/gather-inl.h"

#include "generic/stage-inl.h"

#include "generic/bytewise-inl.h"

#include "generic/binary_conv-inl.h"

// Wide vectors have other kinds of binary convolution, with outputs in the lanes.
#ifdef BNAS_TURNED_CONV
#include BNAS_TURNED_CONV
#else
constexpr Kernel<TurnedConv> turned_conv = nullptr;
#endif

#ifdef BNAS_PIXEL_CONV
#include BNAS_PIXEL_CONV
#else
constexpr Kernel<PackPixels> pack_pixels = nullptr;
constexpr Kernel<PixelConv> pixel_conv = nullptr;
#endif

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

// Where sums can be compared and marked in registers.
#ifdef BNAS_QUAD_SIGNS
#include "generic/quad_signs-inl.h"
#else
constexpr Kernel<QuadSigns> quad_signs = nullptr;
#endif

#include "generic/pool-inl.h"

#include "generic/pool_halves-inl.h"

#include "generic/pools-inl.h"

#include "generic/repack_bits-inl.h"

#include "generic/elementwise-inl.h"

#include "generic/activation-inl.h"

#include "generic/pool_bits-inl.h"

#include "generic/pool_bytes-inl.h"

#include "generic/magnitude-inl.h"

#include "generic/linear-inl.h"

#include "generic/peak-inl.h"

// A kernel that is missing here is an error that names it.
constexpr Kernels make_table(const char* name) {
  Kernels table{};
  table.name = name;
  table.features = BNAS_FEATURES;
  table.byte_lanes = byte_lanes;
  table.float_lanes = float_lanes;
  table.binary_vectors = binary_vectors;
  table.float_vectors = float_vectors;
  table.float_outputs = float_outputs;
  table.quad_vectors = quad_vectors;
  table.quad_outputs = quad_outputs;
  table.counts_pairs = counts_pairs;
  table.quad_rows = quad_rows;
  table.peak_loop = peak_loop;
#define BNAS_STEP(Step, kernel) table.kernel = kernel;
  BNAS_STEPS(BNAS_STEP)
#undef BNAS_STEP
  return table;
}
