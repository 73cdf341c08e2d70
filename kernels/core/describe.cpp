#include "core/describe.h"

namespace bnas {
namespace {

const char* name_of(Gather gather) {
  switch (gather) {
    case Gather::direct:
      return "direct";
    case Gather::shifted:
      return "shifted";
    case Gather::rows:
      return "rows";
  }
  return "";
}

struct Describe {
  const Kernels& kernels;
  std::size_t program_step;

  KernelUse plain(const char* kernel) const { return {program_step, kernel, "", 0, 0, 0}; }

  KernelUse operator()(const BinaryConv& s) const {
    const char* kernel = s.bytewise ? "binary_conv/bytes" : "binary_conv/words";
    return {program_step,           kernel,
            name_of(s.taps.gather), bits_per_plane,
            kernels.binary_vectors, kernels.byte_lanes};
  }
  KernelUse operator()(const DepthwiseConv& s) const {
    return {program_step,      "depthwise_conv", name_of(s.conv.taps.gather), bits_per_plane, 1,
            kernels.byte_lanes};
  }
  KernelUse operator()(const TurnedConv& s) const {
    return {program_step,
            "binary_conv/turned",
            name_of(s.conv.taps.gather),
            kernels.binary_vectors * kernels.byte_lanes,
            1,
            bits_per_plane};
  }
  KernelUse operator()(const Conv2d& s) const {
    return {program_step,           "conv2d",
            name_of(s.taps.gather), kernels.float_outputs,
            kernels.float_vectors,  kernels.float_lanes};
  }
  KernelUse operator()(const Pool& s) const { return plain(s.average ? "avg_pool" : "max_pool"); }
  KernelUse operator()(const Quantize&) const { return plain("quantize"); }
  KernelUse operator()(const QuantizedConv& s) const {
    return {program_step,         "quantized_conv",     name_of(s.taps.gather),
            kernels.quad_outputs, kernels.quad_vectors, kernels.float_lanes};
  }
  KernelUse operator()(const SplitPhases&) const { return plain("split_phases"); }
  KernelUse operator()(const RepackBits&) const { return plain("repack_bits"); }
  KernelUse operator()(const Binarize&) const { return plain("binarize"); }
  KernelUse operator()(const Affine&) const { return plain("affine"); }
  KernelUse operator()(const Relu&) const { return plain("relu"); }
  KernelUse operator()(const Prelu&) const { return plain("prelu"); }
  KernelUse operator()(const Clip&) const { return plain("clip"); }
  KernelUse operator()(const Sigmoid&) const { return plain("sigmoid"); }
  KernelUse operator()(const Constant&) const { return plain("constant"); }
  KernelUse operator()(const PoolBits&) const { return plain("pool_bits"); }
  KernelUse operator()(const AddSlice&) const { return plain("add_slice"); }
  KernelUse operator()(const MeanMagnitude&) const { return plain("mean_magnitude"); }
  KernelUse operator()(const Multiply&) const { return plain("multiply"); }
  KernelUse operator()(const CopyPlanes&) const { return plain("copy_planes"); }
  KernelUse operator()(const GlobalAvgPool&) const { return plain("global_avg_pool"); }
  KernelUse operator()(const Linear&) const { return plain("linear"); }
};

}  // namespace

std::vector<KernelUse> describe(const Model::Parts& parts) {
  std::vector<KernelUse> uses;
  for (const Step& step : parts.steps)
    uses.push_back(std::visit(Describe{parts.kernels, step.program_step}, step.op));
  return uses;
}

}  // namespace bnas
