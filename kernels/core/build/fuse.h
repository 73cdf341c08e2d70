// Steps that are done together, where nobody else asks for the values between them.
#pragma once

#include "core/build/draft.h"

namespace bnas {

// Called when all steps are there. Returns whether some steps are for runs or traces only.
bool fuse(Draft& draft, ValueId output);

}  // namespace bnas
