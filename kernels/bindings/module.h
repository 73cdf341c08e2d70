// The parts of the Python module, each bound in its own file.
#pragma once

#include <pybind11/pybind11.h>

namespace bnas {

void bind_model(pybind11::module_& m);

}  // namespace bnas
