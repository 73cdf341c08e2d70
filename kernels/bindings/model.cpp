// Python's view of a model: load, run, trace, profile, describe, memory.
#include "core/run/model.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>

#include "bindings/arrays.h"
#include "bindings/module.h"
#include "core/run/describe.h"
#include "core/run/standard_floats.h"
#include "dispatch/dispatch.h"
#include "reader/model_file.h"

namespace bnas {
namespace {

// A model of the engine, the names of the program's values, and what a caller must know.
struct LoadedModel {
  std::unique_ptr<Model> engine;
  std::vector<std::string> names;
  std::vector<std::string> labels;
  Preprocessing preprocessing;
};

// By Python's hashlib, which uses the processor's instructions for it.
std::string python_digest(const std::string& program, const std::uint8_t* data, std::size_t size) {
  const py::gil_scoped_acquire locked;
  const py::object sum = py::module_::import("hashlib").attr("sha256")(py::bytes(program));
  sum.attr("update")(py::memoryview::from_memory(data, static_cast<py::ssize_t>(size)));
  return py::cast<std::string>(sum.attr("hexdigest")());
}

std::unique_ptr<LoadedModel> load(const py::bytes& data, const std::optional<std::string>& isa,
                                  bool verified) {
  const auto blob = static_cast<std::string_view>(data);
  const py::gil_scoped_release unlocked;
  const StandardFloats floats;
  const Kernels& kernels = choose_kernels(isa ? isa->c_str() : nullptr);
  const ModelFile file(reinterpret_cast<const std::uint8_t*>(blob.data()), blob.size(),
                       verified ? nullptr : &python_digest);
  return std::make_unique<LoadedModel>(
      LoadedModel{file.build(kernels), file.value_names(), file.labels(), file.preprocessing()});
}

// (C, H, W)
py::tuple input_shape(const LoadedModel& loaded) {
  const Model::Parts& parts = loaded.engine->parts();
  const Planes& in = parts.values[parts.input].planes;
  return py::make_tuple(in.channels, in.height, in.width);
}

// (resize, (height, width) of the crop, mean, std), the latter a channel
py::tuple preprocessing(const LoadedModel& loaded) {
  const Preprocessing& p = loaded.preprocessing;
  return py::make_tuple(p.resize, py::make_tuple(p.crop[0], p.crop[1]), py::tuple(py::cast(p.mean)),
                        py::tuple(py::cast(p.std)));
}

// The images of an array (N, C, H, W) that fits the model's input.
Array<float> images_of(const Model& model, const py::object& object) {
  const Array<float> images = elements<float>(object, "images");
  const auto array = py::reinterpret_borrow<py::array>(object);
  const Planes& in = model.parts().values[model.parts().input].planes;
  const auto extent = [&](py::ssize_t axis) { return static_cast<std::size_t>(array.shape(axis)); };
  if (array.ndim() != 4 || extent(1) != in.channels || extent(2) != in.height ||
      extent(3) != in.width) {
    throw py::value_error("images: expected shape (N, " + std::to_string(in.channels) + ", " +
                          std::to_string(in.height) + ", " + std::to_string(in.width) + "), got " +
                          std::string(py::str(array.attr("shape"))));
  }
  return images;
}

const float* single_image(const Model& model, const py::object& object) {
  const Array<float> images = images_of(model, object);
  if (images.size != model.image_size()) throw py::value_error("expected exactly one image");
  return images.data;
}

// Runs images in parts of some 0.1 s, so that Ctrl-C ends a large batch as it ends Python code.
void run_interruptibly(Model& model, const float* images, std::size_t n, float* out,
                       std::size_t threads) {
  using Clock = std::chrono::steady_clock;
  constexpr auto soon = std::chrono::milliseconds(50), late = std::chrono::milliseconds(200);
  threads = std::min(threads, std::max<std::size_t>(n, 1));
  std::size_t part = 16 * threads;
  for (std::size_t done = 0; done < n;) {
    const std::size_t now = std::min(part, n - done);
    const Clock::time_point start = Clock::now();
    {
      const py::gil_scoped_release unlocked;
      model.run(images + done * model.image_size(), now, out + done * model.classes(), threads);
    }
    done += now;
    const Clock::duration took = Clock::now() - start;
    if (took < soon) part *= 2;
    if (took > late) part = std::max(threads, part / 2);
    if (done < n && took >= soon && PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
}

py::array_t<float> run(LoadedModel& loaded, const py::object& object, std::size_t threads) {
  Model& model = *loaded.engine;
  if (threads < 1) throw py::value_error("threads: expected at least 1, got 0");
  const Array<float> images = images_of(model, object);
  const std::size_t n = images.size / model.image_size();
  py::array_t<float> logits({n, model.classes()});
  float* out = logits.mutable_data();
  run_interruptibly(model, images.data, n, out, threads);
  return logits;
}

// Every value of the program by name, in the order in which the file declares them.
py::dict trace(LoadedModel& loaded, const py::object& object) {
  Model& model = *loaded.engine;
  const float* image = single_image(model, object);
  py::dict arrays;
  std::vector<void*> out;
  for (std::size_t id = 0; id < model.parts().program_values; ++id) {
    const Value& value = model.parts().values[id];
    const std::vector<std::size_t> shape = {value.planes.channels, value.planes.height,
                                            value.planes.width};
    py::array array(value.kind == Kind::bits ? py::dtype::of<bool>() : py::dtype::of<float>(),
                    shape);
    out.push_back(array.mutable_data());
    arrays[py::str(loaded.names[id])] = std::move(array);
  }
  {
    const py::gil_scoped_release unlocked;
    model.trace(image, out.data());
  }
  return arrays;
}

// Seconds of each step of the program.
py::array_t<double> profile(LoadedModel& loaded, const py::object& object) {
  Model& model = *loaded.engine;
  const float* image = single_image(model, object);
  py::array_t<double> seconds(static_cast<py::ssize_t>(model.parts().program_steps));
  double* out = seconds.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    model.profile(image, out);
  }
  return seconds;
}

std::unique_ptr<Model::Execution> execution(LoadedModel& loaded, const py::object& object) {
  Model& model = *loaded.engine;
  return std::make_unique<Model::Execution>(model, single_image(model, object));
}

void repeat(const Model::Execution& run, std::size_t step, std::size_t times) {
  const py::gil_scoped_release unlocked;
  run.repeat(step, times);
}

// (step of the program, kernel, gather, outputs, vectors, lanes), in the order in which they run.
py::list kernels_of(const LoadedModel& loaded) {
  py::list uses;
  for (const KernelUse& use : describe(loaded.engine->parts())) {
    uses.append(py::make_tuple(use.program_step, use.kernel, use.gather, use.outputs, use.vectors,
                               use.lanes));
  }
  return uses;
}

py::dict memory(const LoadedModel& loaded) {
  const Model& model = *loaded.engine;
  const Model::Parts& parts = model.parts();
  py::dict bytes;
  bytes["weights"] = parts.weights.bytes();
  bytes["tables"] = parts.tables.bytes();
  bytes["arena"] = parts.arena;
  bytes["scratch"] = parts.scratch;
  bytes["context"] = model.context_bytes();
  return bytes;
}

}  // namespace

void bind_model(py::module_& m) {
  py::register_exception<FormatError>(m, "FormatError", PyExc_ValueError);
  py::class_<Model::Execution>(m, "Execution")
      .def("repeat", &repeat, py::arg("step"), py::arg("times"));
  py::class_<LoadedModel>(m, "Model")
      .def_property_readonly("isa",
                             [](const LoadedModel& m) { return m.engine->parts().kernels.name; })
      .def_property_readonly("labels",
                             [](const LoadedModel& m) { return py::tuple(py::cast(m.labels)); })
      .def_property_readonly("input_shape", &input_shape)
      .def_property_readonly("preprocessing", &preprocessing)
      .def("run", &run, py::arg("images"), py::arg("threads"))
      .def("trace", &trace, py::arg("image"))
      .def("profile", &profile, py::arg("image"))
      .def("execution", &execution, py::arg("image"), py::keep_alive<0, 1>())
      .def("describe", &kernels_of)
      .def("memory", &memory);
  m.def("load", &load, py::arg("data"), py::kw_only(), py::arg("isa"), py::arg("verified"));
}

}  // namespace bnas
