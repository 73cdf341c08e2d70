// Weights of convolutions that go from pixel to pixel.
#pragma once

#include "core/build/tap_sets.h"
#include "core/repack/binary.h"

namespace bnas {

// Packed rows of bits, (ky, kx, c) with c fastest, to the layout of PixelConv::weights; zero beyond
// the last channel and output.
const std::uint32_t* block_words(const std::uint64_t* rows, const BinaryShape& shape,
                                 Tables& tables);

// The sum of C + fold over the taps inside, [set][padded output], modulo 2^16: only dot itself has
// to fit.
const std::int16_t* set_bases(Array<std::int32_t> fold, const BinaryShape& shape,
                              const TapSets& sets, Tables& tables);

}  // namespace bnas
