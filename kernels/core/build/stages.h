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
                const BinaryShape& shape, std::vector<Stage>& stages, std::uint8_t& greatest_room);

// For outputs in lanes: fills the scales and shifts up to `padded` outputs with zeros, and returns
// the limits of all stages likewise, [stage][output].
const std::int16_t* fill_up_stages(Draft& draft, std::vector<Stage>& stages, std::size_t outputs,
                                   std::size_t padded);

std::vector<ValueId> outputs_of(const std::vector<Stage>& stages);

}  // namespace bnas
