// The parts of the Python module, each bound in its own file.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "core/kernels.h"

namespace bnas {

void bind_builder(pybind11::module_& m);
void bind_model(pybind11::module_& m);

// The kernels of that name; ValueError if there are none or this machine cannot run them.
const Kernels& kernels_for(const std::string& isa);

}  // namespace bnas
