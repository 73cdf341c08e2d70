// How a binary convolution is laid out: which of the kernels computes it.
#pragma once

#include "core/kernels.h"
#include "core/repack/binary.h"

namespace bnas {

enum class Layout {
  planes,  // pixels in the lanes (BinaryConv)
  turned,  // outputs in the lanes, eight channels at a time (TurnedConv)
  pixels,  // outputs in the lanes, 32 channels at a time (PixelConv)
};

// The layout that needs fewest instructions, roughly. All give the same bits.
Layout choose_layout(const Kernels& kernels, const BinaryShape& shape, const Window& window);

}  // namespace bnas
