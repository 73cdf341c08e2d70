// Binary convolutions with outputs in the lanes: when, and the step they become.
#pragma once

#include <vector>

#include "core/build/draft.h"
#include "core/repack/dot_base.h"

namespace bnas {

// Whether fewer vectors are counted, by a tenth: transposing the result costs some too.
bool turning_pays(const Kernels& kernels, const BinaryShape& shape, const Window& window);

void add_turned_conv(Draft& draft, const BinaryConvSpec& spec, const BinaryShape& shape,
                     const Window& window, std::vector<Stage> stages);

}  // namespace bnas
