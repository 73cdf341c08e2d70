// Any step of the engine, with its kernel and its name. The files of isa/ do not include it: they
// share no function with others.
#pragma once

#include <variant>

#include "core/kernels.h"

namespace bnas {

template <class, class... Steps>
using OneOf = std::variant<Steps...>;

#define BNAS_STEP(Step, kernel) , Step
using Op = OneOf<void BNAS_STEPS(BNAS_STEP)>;
#undef BNAS_STEP

#define BNAS_STEP(Step, kernel)                                                                  \
  inline Kernel<Step> kernel_for(const Kernels& kernels, const Step&) { return kernels.kernel; } \
  inline const char* kernel_name(const Step&) { return #kernel; }
BNAS_STEPS(BNAS_STEP)
#undef BNAS_STEP

}  // namespace bnas
