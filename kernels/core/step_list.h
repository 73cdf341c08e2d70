// The one list of the engine's steps: the type of each (steps.h) and the name of its kernel
// (generic/). `Op` (op.h), the table of kernels (kernels.h, generic/table-inl.h), execution and
// description (describe.cpp) follow from it; a step without a kernel does not compile.
//
// Each kernel is void(const Step&, const Frame&, Range): it does the units `Range` of the step's
// work, counted as said here. A list is used by defining BNAS_STEP(Step, kernel), expanding
// BNAS_STEPS(BNAS_STEP) and undefining it.
#pragma once

#define BNAS_STEPS(STEP)                                                           \
  STEP(BinaryConv, binary_conv)       /* tiles of outputs in strips of vectors */  \
  STEP(TurnedConv, turned_conv)       /* blocks of outputs in vectors of pixels */ \
  STEP(PackPixels, pack_pixels)       /* vectors of max_lanes pixels */            \
  STEP(PixelConv, pixel_conv)         /* blocks of outputs in bands of pixels */   \
  STEP(DepthwiseConv, depthwise_conv) /* byte planes */                            \
  STEP(Conv2d, conv2d)                /* tiles of outputs in strips of vectors */  \
  STEP(Quantize, quantize)            /* planes of quads */                        \
  STEP(QuantizedConv, quantized_conv) /* tiles of outputs */                       \
  STEP(QuadSigns, quad_signs)         /* byte planes of the output */              \
  STEP(SplitPhases, split_phases)     /* planes */                                 \
  STEP(RepackBits, repack_bits)       /* byte planes of the output */              \
  STEP(Binarize, binarize)            /* byte planes in strips of vectors */       \
  STEP(Affine, affine)                /* channels, as for all without a remark */  \
  STEP(Relu, relu)                                                                 \
  STEP(Prelu, prelu)                                                               \
  STEP(Clip, clip)                                                                 \
  STEP(Sigmoid, sigmoid)                                                           \
  STEP(HardSigmoid, hard_sigmoid)                                                  \
  STEP(Constant, constant)                                                         \
  STEP(PoolBits, pool_bits) /* byte planes */                                      \
  STEP(Pool, pool)                                                                 \
  STEP(PoolBytes, pool_bytes)                                                      \
  STEP(AddSlice, add_slice)                                                        \
  STEP(MeanMagnitude, mean_magnitude) /* vectors of max_float_lanes pixels */      \
  STEP(Multiply, multiply)                                                         \
  STEP(CopyPlanes, copy_planes)                                                    \
  STEP(GlobalAvgPool, global_avg_pool)                                             \
  STEP(Linear, linear) /* blocks of linear_block outputs */
