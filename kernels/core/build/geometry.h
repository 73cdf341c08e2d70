// Where the taps of a convolution lie for each vector of output pixels.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/steps.h"

namespace bnas {

using Phase = std::array<std::size_t, 2>;  // y0, x0

struct Geometry {
  Gather gather;
  std::size_t pixels;  // of the output
  std::size_t patterns;
  std::vector<std::ptrdiff_t> offset;  // [tap]
  std::vector<std::uint32_t> pattern;  // [vector]
  std::vector<std::uint64_t> inside;   // [pattern][tap]
  std::vector<Phase> phases;           // to split the image into first; empty: none
  std::size_t phase_h, phase_w;
  std::size_t kernel_w;  // taps in a row of the window
};

std::size_t taps_of(const Window& w);

// Elements from one plane of so many pixels to the next: whole vectors, and no multiple of a
// kilobyte, as the same pixel of many planes would share a few sets of the first-level cache.
std::size_t plane_stride(Kind kind, std::size_t pixels);

// `planes` is the number of planes of the input, of elements of that kind.
Geometry make_geometry(const Window& w, std::size_t lanes, std::size_t planes, Kind kind);

}  // namespace bnas
