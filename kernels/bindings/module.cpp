// The Python module bnas_deploy._kernels; the only place that knows of Python besides its
// neighbours.
#include "bindings/module.h"

#include <pybind11/stl.h>

#include "dispatch/clock.h"
#include "dispatch/dispatch.h"

namespace bnas {
namespace {

namespace py = pybind11;

// Name to missing features, best first.
py::dict isa_table() {
  py::dict table;
  for (const Isa& isa : isas()) table[isa.kernels->name] = py::cast(isa.missing);
  return table;
}

double peak(const std::string& isa, double milliseconds) {
  const Kernels& kernels = choose_kernels(isa.c_str());
  const py::gil_scoped_release unlocked;
  return popcount_peak(kernels, milliseconds);
}

double clock(double milliseconds) {
  const py::gil_scoped_release unlocked;
  return clock_rate(milliseconds);
}

}  // namespace
}  // namespace bnas

// Free-threaded Python keeps its lock off: models do not change once loaded, and any number of
// threads may run one (core/run/model.h).
PYBIND11_MODULE(_kernels, m, pybind11::mod_gil_not_used()) {
  m.doc() = "Kernels of bnas_deploy; use bnas_deploy.engine.native.backend.";
  m.def("isas", &bnas::isa_table);
  m.def("popcount_peak", &bnas::peak, pybind11::arg("isa"), pybind11::arg("milliseconds"));
  m.def("clock_rate", &bnas::clock, pybind11::arg("milliseconds"));
  bnas::bind_model(m);
}
