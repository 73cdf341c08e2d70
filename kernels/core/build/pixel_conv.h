// Binary convolutions that go from pixel to pixel.
#pragma once

#include <vector>

#include "core/build/draft.h"
#include "core/repack/binary.h"

namespace bnas {

void add_pixel_conv(Draft& draft, const BinaryConvSpec& spec, const BinaryShape& shape,
                    const Window& window, std::vector<Stage> stages);

}  // namespace bnas
