// Binary convolutions with outputs in the lanes, eight channels at a time.
#pragma once

#include <vector>

#include "core/build/draft.h"
#include "core/repack/dot_base.h"

namespace bnas {

void add_turned_conv(Draft& draft, const BinaryConvSpec& spec, const BinaryShape& shape,
                     const Window& window, std::vector<Stage> stages);

}  // namespace bnas
