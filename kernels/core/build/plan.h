// Which memory each value gets: buffers are shared by values that do not live at the same time, and
// a value may take over the buffer of one that dies where it is made, or be made inside the one
// that it is copied into.
#pragma once

#include <cstddef>
#include <vector>

#include "core/program.h"

namespace bnas {

// Sets the offsets of all values, drops copies that have become needless, and returns the bytes of
// the arena. What `constants` write keeps its memory to itself.
std::size_t plan(std::vector<Value>& values, std::vector<Step>& steps,
                 const std::vector<Step>& constants, ValueId input, ValueId output);

}  // namespace bnas
