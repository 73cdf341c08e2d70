// The stages of binary convolutions: from dot products to bits or floats.
#pragma once

#include <vector>

#include "core/build/draft.h"
#include "core/repack/dot_base.h"

namespace bnas {

// Also adds the copies of the addends that the stages add onto.
std::vector<Stage> make_stages(Draft& draft, const std::vector<StageSpec>& specs,
                               const Sections& sections);

// Whether all stages can look at bytes; gives them what they need for that, or leaves them alone.
bool make_rooms(Draft& draft, const std::vector<StageSpec>& specs, const DotBase& base,
                const BinaryShape& shape, std::vector<Stage>& stages);

std::vector<ValueId> outputs_of(const std::vector<Stage>& stages);

}  // namespace bnas
