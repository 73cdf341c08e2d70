// Which taps of a window lie inside the image, for each output pixel; and pixels that agree in
// that, gathered in tiles.
#pragma once

#include <vector>

#include "core/pixel_steps.h"

namespace bnas {

struct TapSets {
  std::vector<TapSet> sets;
  std::vector<std::uint32_t> tap;    // of all sets
  std::vector<std::int32_t> offset;  // likewise
  std::vector<PixelTile> tiles;
  std::vector<std::size_t> first;  // [band, and one more]
};

// `words`: of a pixel.
TapSets make_tap_sets(const Window& window, std::size_t words);

// Whether every place in the image can be told in 32 bits, and all sets have a moderate size.
bool fits_tap_sets(const Window& window, std::size_t words);

}  // namespace bnas
