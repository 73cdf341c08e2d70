// Windows of convolutions and pools: their extents, and where their taps lie.
#pragma once

#include "core/build/draft.h"
#include "core/build/geometry.h"

namespace bnas {

Window window_of(const Draft& draft, const WindowSpec& spec, ValueId input, ValueId output);

Taps make_taps(Draft& draft, const Geometry& geometry, const Window& window);

// The input, or its phases, where the geometry reads a strided image through them.
ValueId split_phases(Draft& draft, const Geometry& geometry, const Window& window, ValueId input);

}  // namespace bnas
