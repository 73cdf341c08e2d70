#include "core/run/describe.h"

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

// What is said of most steps; those that have more to say follow.
template <class Step>
KernelUse use_of(const Step& s, const Kernels&) {
  return {0, kernel_name(s), "", 0, 0, 0};
}

KernelUse use_of(const BinaryConv& s, const Kernels& k) {
  const char* kernel = s.bytewise ? "binary_conv/bytes" : "binary_conv/words";
  return {0, kernel, name_of(s.taps.gather), bits_per_plane, k.binary_vectors, k.byte_lanes};
}

KernelUse use_of(const DepthwiseConv& s, const Kernels& k) {
  return {0, kernel_name(s), name_of(s.conv.taps.gather), bits_per_plane, 1, k.byte_lanes};
}

KernelUse use_of(const TurnedConv& s, const Kernels& k) {
  const std::size_t outputs = k.binary_vectors * k.byte_lanes;
  return {0, "binary_conv/turned", name_of(s.conv.taps.gather), outputs, 1, bits_per_plane};
}

KernelUse use_of(const PixelConv&, const Kernels&) {
  return {0, "binary_conv/pixels", "", pixel_block, 1, pixel_tile};
}

KernelUse use_of(const Conv2d& s, const Kernels& k) {
  return {
      0, kernel_name(s), name_of(s.taps.gather), k.float_outputs, k.float_vectors, k.float_lanes};
}

KernelUse use_of(const QuantizedConv& s, const Kernels& k) {
  return {0, kernel_name(s), name_of(s.taps.gather), k.quad_outputs, k.quad_vectors, k.float_lanes};
}

KernelUse use_of(const QuadSigns& s, const Kernels& k) {
  const char* gather = name_of(s.conv.taps.gather);
  return {0, "quantized_conv/signs", gather, bits_per_plane, k.quad_vectors, k.float_lanes};
}

KernelUse use_of(const Pool& s, const Kernels&) {
  return {0, s.average ? "avg_pool" : "max_pool", "", 0, 0, 0};
}

}  // namespace

std::vector<KernelUse> describe(const Model::Parts& parts) {
  std::vector<KernelUse> uses;
  for (const Step& step : parts.steps) {
    uses.push_back(std::visit([&](const auto& op) { return use_of(op, parts.kernels); }, step.op));
    uses.back().program_step = step.program_step;
  }
  return uses;
}

}  // namespace bnas
