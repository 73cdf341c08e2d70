// Python's view of the builder: one method a step.
#include "core/build/builder.h"

#include <pybind11/stl.h>

#include <array>
#include <optional>

#include "bindings/arrays.h"
#include "bindings/module.h"

namespace bnas {
namespace {

using Pair = std::array<std::size_t, 2>;
using Padding = std::array<std::size_t, 4>;

WindowSpec window(const Pair& kernel, const Pair& stride, const Padding& padding,
                  const Pair& dilation) {
  return {{kernel[0], kernel[1]},
          {stride[0], stride[1]},
          {padding[0], padding[1], padding[2], padding[3]},
          {dilation[0], dilation[1]}};
}

void affine(Builder& b, ValueId input, ValueId output, const py::object& scale,
            const py::object& shift) {
  b.add_affine({input, output, elements<float>(scale, "scale"), elements<float>(shift, "shift")});
}

void conv2d(Builder& b, ValueId input, ValueId output, const py::object& weight,
            const py::object& bias, const Pair& kernel, const Pair& stride, const Padding& padding,
            const Pair& dilation, bool relu, std::size_t groups) {
  b.add_conv2d({input, output, elements<float>(weight, "weight"), elements<float>(bias, "bias"),
                window(kernel, stride, padding, dilation), relu, groups});
}

void quantized_conv2d(Builder& b, ValueId input, ValueId output, const py::object& weight,
                      const py::object& offset, const py::object& scale,
                      const py::object& input_scale, const py::object& input_zero,
                      const Pair& kernel, const Pair& stride, const Padding& padding,
                      const Pair& dilation, bool relu) {
  b.add_quantized_conv2d({input, output, elements<std::int8_t>(weight, "weight"),
                          elements<std::int32_t>(offset, "offset"), elements<float>(scale, "scale"),
                          elements<float>(input_scale, "input_scale"),
                          elements<float>(input_zero, "input_zero"),
                          window(kernel, stride, padding, dilation), relu});
}

void binarize(Builder& b, ValueId input, ValueId output, const py::object& threshold,
              const py::object& flip) {
  b.add_binarize({input, output, elements<float>(threshold, "threshold"),
                  elements<std::uint64_t>(flip, "flip")});
}

StageSpec threshold_stage(ValueId output, const py::object& threshold, const py::object& flip) {
  StageSpec stage{};
  stage.kind = Stage::Kind::threshold;
  stage.output = output;
  stage.threshold = elements<std::int32_t>(threshold, "threshold");
  stage.flip = elements<std::uint64_t>(flip, "flip");
  return stage;
}

StageSpec scale_stage(ValueId output, const py::object& scale, const py::object& shift, bool relu,
                      const std::optional<ValueId>& addend, std::size_t at) {
  StageSpec stage{};
  stage.kind = Stage::Kind::scale;
  stage.output = output;
  stage.scale = elements<float>(scale, "scale");
  stage.shift = elements<float>(shift, "shift");
  stage.relu = relu;
  stage.has_addend = addend.has_value();
  stage.addend = addend.value_or(0);
  stage.at = at;
  return stage;
}

// A stage is ("threshold", output, threshold, flip) or ("scale", output, scale, shift or
// None, relu, addend, at).
StageSpec stage(const py::tuple& fields) {
  const auto kind = fields[0].cast<std::string>();
  const auto output = fields[1].cast<ValueId>();
  if (kind == "threshold") return threshold_stage(output, fields[2], fields[3]);
  return scale_stage(output, fields[2], fields[3], fields[4].cast<bool>(),
                     fields[5].cast<std::optional<ValueId>>(), fields[6].cast<std::size_t>());
}

void binary_conv2d(Builder& b, ValueId input, const py::object& weight, const py::object& fold,
                   const Pair& kernel, const Pair& stride, const Padding& padding,
                   const Pair& dilation, const std::vector<py::tuple>& stages, std::size_t groups) {
  BinaryConvSpec spec{input,
                      elements<std::uint64_t>(weight, "weight"),
                      elements<std::int32_t>(fold, "fold"),
                      window(kernel, stride, padding, dilation),
                      {},
                      groups};
  for (const py::tuple& fields : stages) spec.stages.push_back(bnas::stage(fields));
  b.add_binary_conv2d(spec);
}

void depthwise_conv2d(Builder& b, ValueId input, const py::object& weight, const Pair& kernel,
                      const Pair& stride, const Padding& padding, const Pair& dilation,
                      const std::vector<py::tuple>& stages) {
  BinaryConvSpec spec{input,
                      elements<std::uint64_t>(weight, "weight"),
                      {},
                      window(kernel, stride, padding, dilation),
                      {}};
  for (const py::tuple& fields : stages) spec.stages.push_back(bnas::stage(fields));
  b.add_depthwise_conv2d(spec);
}

void mean_magnitude(Builder& b, ValueId input, ValueId output, const py::object& scale,
                    const py::object& shift, const py::object& terms) {
  b.add_mean_magnitude({input, output, elements<float>(scale, "scale"),
                        elements<float>(shift, "shift"), elements<float>(terms, "terms")});
}

void prelu(Builder& b, ValueId input, ValueId output, const py::object& slope) {
  b.add_prelu({input, output, elements<float>(slope, "slope")});
}

void clip(Builder& b, ValueId input, ValueId output, const py::object& low,
          const py::object& high) {
  b.add_clip({input, output, elements<float>(low, "low"), elements<float>(high, "high")});
}

void constant(Builder& b, ValueId output, const py::object& values) {
  b.add_constant(output, elements<float>(values, "values"));
}

void pool_bits(Builder& b, ValueId input, ValueId output, const py::object& minimum,
               const Pair& kernel, const Pair& stride, const Padding& padding) {
  b.add_pool_bits({input, output, window(kernel, stride, padding, {1, 1}),
                   elements<std::uint64_t>(minimum, "minimum")});
}

void pool(Builder& b, ValueId input, ValueId output, const Pair& kernel, const Pair& stride,
          const Padding& padding, bool average) {
  b.add_pool({input, output, window(kernel, stride, padding, {1, 1}), average});
}

void select_channels(Builder& b, ValueId input, ValueId output, const py::object& index) {
  b.add_select_channels(input, output, elements<std::int32_t>(index, "index"));
}

void linear(Builder& b, ValueId input, ValueId output, const py::object& weight,
            const py::object& bias) {
  b.add_linear({input, output, elements<float>(weight, "weight"), elements<float>(bias, "bias")});
}

}  // namespace

void bind_builder(py::module_& m) {
  py::class_<Builder>(m, "Builder")
      .def(py::init([](const std::string& isa) { return Builder(kernels_for(isa)); }),
           py::arg("isa"))
      .def("add_value", &Builder::add_value, py::arg("bits"), py::arg("channels"),
           py::arg("height"), py::arg("width"))
      .def("affine", &affine)
      .def("relu", &Builder::add_relu)
      .def("prelu", &prelu)
      .def("clip", &clip)
      .def("sigmoid", &Builder::add_sigmoid)
      .def("constant", &constant)
      .def("pool_bits", &pool_bits)
      .def("conv2d", &conv2d)
      .def("quantized_conv2d", &quantized_conv2d)
      .def("binarize", &binarize)
      .def("binary_conv2d", &binary_conv2d)
      .def("depthwise_conv2d", &depthwise_conv2d)
      .def("mean_magnitude", &mean_magnitude)
      .def("multiply", &Builder::add_multiply)
      .def("pool", &pool)
      .def("add_slice", [](Builder& b, ValueId input, ValueId addend, ValueId output,
                           std::size_t at) { b.add_add_slice({input, addend, output, at}); })
      .def("concat", &Builder::add_concat)
      .def("select_channels", &select_channels)
      .def("global_avg_pool", &Builder::add_global_avg_pool)
      .def("linear", &linear)
      .def("build", &Builder::build, py::arg("input"), py::arg("output"));
}

}  // namespace bnas
