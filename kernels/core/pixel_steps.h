// Binary convolutions that go from pixel to pixel: outputs are in the lanes, 32 channels in each,
// and a pixel's channels lie together. What is outside the image is not computed.
#pragma once

#include "core/steps.h"

namespace bnas {

constexpr std::size_t channels_per_word = 32;
constexpr std::size_t word_lanes = 16;   // outputs in a vector
constexpr std::size_t pixel_block = 64;  // outputs at a time, in whole vectors
constexpr std::size_t pixel_tile = 6;    // pixels at a time, as many as the registers hold sums of
constexpr std::size_t pixel_band = 64;   // pixels whose dot products are kept before they become
                                         // bits or floats

// From byte planes to pixels: channels 32q..32q+31 of a pixel are its word q, the first in the
// lowest bit, unused bits zero.
struct PackPixels {
  ValueId input, output;
  std::size_t words;  // of a pixel
};

// The taps that lie inside the image for some pixels.
struct TapSet {
  std::size_t first, count;  // of PixelConv::tap, PixelConv::offset
};

// Output pixels of a band with the same taps inside.
struct PixelTile {
  std::uint32_t set, count;
  std::int32_t source[pixel_tile];  // word that an offset of 0 leads to; may be outside
  std::uint32_t place[pixel_tile];  // in the band
};

struct PixelConv {
  ValueId input;  // words of pixels
  std::size_t words, taps;
  std::size_t outputs, padded;   // padded: to whole vectors
  const std::uint32_t* weights;  // [block][tap][word][output of the block, in whole vectors]
  const std::int16_t* base;      // [set][padded output]; dot = base - 2 count
  const TapSet* sets;
  const std::uint32_t* tap;    // of all sets
  const std::int32_t* offset;  // likewise: words from a pixel's source to the tap's pixel
  const PixelTile* tiles;      // of all bands
  const std::size_t* first;    // [band, and one more] its tiles
  std::size_t bands, pixels;   // pixels: of the output
  const Stage* stages;         // scales and shifts are filled up to padded outputs
  std::size_t stage_count;
  const std::int16_t* limits;  // [stage][padded output and a block more]; zero but for thresholds
};

// Blocks of outputs: as even as whole vectors allow.
constexpr std::size_t pixel_blocks(std::size_t padded) {
  return (padded + pixel_block - 1) / pixel_block;
}

constexpr std::size_t first_of_block(std::size_t padded, std::size_t block) {
  return padded / word_lanes * block / pixel_blocks(padded) * word_lanes;
}

}  // namespace bnas
