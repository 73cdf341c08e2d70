// What convolutions in groups need besides: planes that no two groups share.
#pragma once

#include "core/build/draft.h"

namespace bnas {

// The input, or a copy in which each group begins a new plane.
ValueId align_input(Draft& draft, ValueId input, std::size_t groups);

// A value for bits of which each section begins a new plane.
ValueId add_aligned(Draft& draft, const Sections& sections, std::size_t height, std::size_t width);

// Bits `from` in which each section begins a new plane to channels without gaps.
void close_gaps(Draft& draft, ValueId from, ValueId to, const Sections& sections);

}  // namespace bnas
