// NumPy arrays to the core's arrays, with the checks that the core relies on.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "core/build/spec.h"

namespace bnas {

namespace py = pybind11;

// The elements of a C-contiguous, aligned array of exactly this dtype; None gives an empty array.
template <class T>
Array<T> elements(const py::object& object, const char* name) {
  if (object.is_none()) return {};
  if (!py::isinstance<py::array>(object))
    throw py::type_error(std::string(name) + ": expected a NumPy array");
  const auto array = py::reinterpret_borrow<py::array>(object);
  if (!py::isinstance<py::array_t<T>>(array)) {
    throw py::type_error(std::string(name) + ": expected dtype " +
                         std::string(py::str(py::dtype::of<T>())) + ", got " +
                         std::string(py::str(array.dtype())));
  }
  constexpr int wanted = py::array::c_style | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  if ((array.flags() & wanted) != wanted)
    throw py::value_error(std::string(name) + ": expected a contiguous, aligned array");
  return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

}  // namespace bnas
