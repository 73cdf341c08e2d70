// The window of a convolution or pool: its fields, and the size of what comes out.
#pragma once

#include <array>
#include <cstdint>

#include "core/build/spec.h"
#include "reader/steps/scope.h"

namespace bnas {

// Along y and x; not yet known to be within bounds.
using KernelSize = std::array<std::int64_t, 2>;

struct Windows {
  WindowSpec spec;
  std::size_t height, width;  // of the output

  std::uint64_t taps() const { return std::uint64_t{spec.kernel[0]} * spec.kernel[1]; }
  std::uint64_t positions() const { return times(std::uint64_t{height} * width, taps()); }
};

// Reads stride, padding and, where there is one, dilation, and checks that the window fits.
Windows read_windows(StepReader& s, const Shape& in, const KernelSize& kernel, bool dilated = true);

// KernelSize of a weight (O, C, kh, kw) for an input of C channels.
KernelSize kernel_of(StepReader& s, const Tensor& weight, std::size_t channels);

// The field `groups` of a convolution, which divides the channels; it must divide the outputs, too.
std::size_t read_groups(StepReader& s, std::size_t channels);
void require_groups(StepReader& s, std::size_t groups, std::uint64_t outputs);

// Of a pool: there is no dilation, and every window has a position inside the image.
Windows read_pool_windows(StepReader& s, const Shape& in);

}  // namespace bnas
