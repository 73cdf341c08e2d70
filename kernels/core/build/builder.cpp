#include "core/build/builder.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace bnas {
namespace {

constexpr std::size_t max_extent = 65536;
// The tables of a window grow with its taps and output pixels; these limits are the format's.
constexpr std::size_t max_taps = 65536;
constexpr std::size_t max_window_work = std::size_t{1} << 30;

std::string text(const Planes& p) {
  return "(" + std::to_string(p.channels) + ", " + std::to_string(p.height) + ", " +
         std::to_string(p.width) + ")";
}

Planes make_planes(bool bits, std::size_t channels, std::size_t height, std::size_t width) {
  const std::size_t stride = round_up(height * width, bits ? max_lanes : max_float_lanes);
  return {0,        stride, bits ? divide_up(channels, bits_per_plane) : channels,
          channels, height, width};
}

}  // namespace

void Builder::require(bool good, const std::string& message) const {
  if (!good) throw std::invalid_argument("step " + std::to_string(program_steps_) + ": " + message);
}

void Builder::require_size(const char* what, std::size_t size, std::size_t expected) const {
  require(size == expected, std::string(what) + ": expected " + std::to_string(expected) +
                                " elements, got " + std::to_string(size));
}

const Planes& Builder::shape_of(ValueId id, bool bits) const {
  require(id < program_values_, "value " + std::to_string(id) + " does not exist");
  require(values_[id].bits == bits,
          std::string("expected a value of kind ") + (bits ? "bits" : "f32"));
  return values_[id].planes;
}

void Builder::require_same_shape(ValueId a, ValueId b) const {
  const Planes& x = values_[a].planes;
  const Planes& y = values_[b].planes;
  require(x.channels == y.channels && x.height == y.height && x.width == y.width,
          "expected equal shapes, got " + text(x) + " and " + text(y));
}

void Builder::require_slice(ValueId whole, ValueId part_like, std::size_t at,
                            std::size_t count) const {
  const Planes& x = shape_of(whole, false);
  const Planes& y = values_[part_like].planes;
  require(
      at <= x.channels && count <= x.channels - at && x.height == y.height && x.width == y.width,
      "channels " + std::to_string(at) + " to " + std::to_string(at + count) +
          " of a value of shape " + text(x) + " cannot take " + text(y));
}

Window Builder::window_for(const WindowSpec& spec, const Planes& in, const Planes& out) const {
  const Window w{spec.kernel[0],   spec.kernel[1],   spec.stride[0],  spec.stride[1],
                 spec.dilation[0], spec.dilation[1], spec.padding[0], spec.padding[1],
                 spec.padding[2],  spec.padding[3],  in.height,       in.width,
                 out.height,       out.width};
  const auto extents = {w.kernel_h, w.kernel_w, w.stride_y, w.stride_x, w.dilation_y, w.dilation_x};
  require(std::all_of(extents.begin(), extents.end(),
                      [](std::size_t n) { return n >= 1 && n <= max_extent; }),
          "kernel, stride and dilation must be between 1 and 65536");
  const auto pads = {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right};
  require(std::all_of(pads.begin(), pads.end(), [](std::size_t n) { return n <= max_extent; }),
          "padding must be at most 65536");
  const std::size_t reach_h = w.dilation_y * (w.kernel_h - 1) + 1,
                    reach_w = w.dilation_x * (w.kernel_w - 1) + 1;
  const std::size_t padded_h = in.height + w.pad_top + w.pad_bottom,
                    padded_w = in.width + w.pad_left + w.pad_right;
  require(padded_h >= reach_h && padded_w >= reach_w, "the window is larger than the padded image");
  require((padded_h - reach_h) / w.stride_y + 1 == out.height &&
              (padded_w - reach_w) / w.stride_x + 1 == out.width,
          "the window does not turn " + text(in) + " into " + text(out));
  require(taps_of(w) <= max_taps && taps_of(w) * out.height * out.width <= max_window_work,
          "a window has at most 65536 taps, and 2^30 over all output pixels");
  return w;
}

Window Builder::window_for(const WindowSpec& spec, ValueId input, ValueId output, bool input_bits,
                           bool output_bits) const {
  return window_for(spec, shape_of(input, input_bits), shape_of(output, output_bits));
}

ValueId Builder::add_value(bool bits, std::size_t channels, std::size_t height, std::size_t width) {
  require(values_.size() == program_values_, "values must be added before steps");
  for (const std::size_t n : {channels, height, width})
    require(n >= 1 && n <= max_extent, "a shape is out of range");
  require(channels * height * width <= std::size_t{1} << 30, "a value has more than 2^30 elements");
  values_.push_back({bits, make_planes(bits, channels, height, width)});
  return program_values_++;
}

ValueId Builder::add_hidden(bool bits, std::size_t planes, std::size_t height, std::size_t width) {
  values_.push_back(
      {bits, make_planes(bits, bits ? planes * bits_per_plane : planes, height, width)});
  return values_.size() - 1;
}

void Builder::add_step(Op op, std::size_t units, std::vector<ValueId> reads,
                       std::vector<ValueId> writes) {
  steps_.push_back({program_steps_, op, units, std::move(reads), std::move(writes)});
}

void Builder::copy_for_update(ValueId from, ValueId to) {
  const std::size_t count = values_[from].planes.planes;
  add_step(CopyPlanes{from, to, 0, count, nullptr}, count, {from}, {to});
  steps_.back().in_place = steps_.back().only_copies = true;
}

void Builder::need_scratch(std::size_t bytes) {
  scratch_ = std::max(scratch_, round_up(bytes, cache_line));
}

void Builder::add_affine(const AffineSpec& spec) {
  const std::size_t channels = shape_of(spec.input, false).channels;
  shape_of(spec.output, false);
  require_same_shape(spec.input, spec.output);
  require_size("scale", spec.scale.size, channels);
  require_size("shift", spec.shift.size, channels);
  const Affine op{spec.input, spec.output, weights_.copy(spec.scale.data, channels),
                  weights_.copy(spec.shift.data, channels)};
  add_step(op, channels, {spec.input}, {spec.output});
  steps_.back().in_place = true;
  ++program_steps_;
}

void Builder::add_relu(ValueId input, ValueId output) {
  const std::size_t channels = shape_of(input, false).channels;
  shape_of(output, false);
  require_same_shape(input, output);
  add_step(Relu{input, output}, channels, {input}, {output});
  steps_.back().in_place = true;
  ++program_steps_;
}

void Builder::add_binarize(const BinarizeSpec& spec) {
  const std::size_t channels = shape_of(spec.input, false).channels;
  const std::size_t planes = shape_of(spec.output, true).planes;
  require_same_shape(spec.input, spec.output);
  require_size("threshold", spec.threshold.size, channels);
  require_size("flip", spec.flip.size, divide_up(channels, 64));
  const Binarize::Signs signs{spec.output, weights_.copy(spec.threshold.data, channels),
                              invert_flips(spec.flip.data, {1, channels}, weights_)};
  const std::size_t groups =
      divide_up(values_[spec.input].planes.height * values_[spec.input].planes.width,
                kernels_.binary_vectors * kernels_.byte_lanes);
  if (!join_binarize(spec.input, signs))
    add_step(Binarize{spec.input, 1, {signs, {}}}, planes * groups, {spec.input}, {spec.output});
  ++program_steps_;
}

// Lets the step before do the work as well, if it binarizes the same value.
bool Builder::join_binarize(ValueId input, const Binarize::Signs& signs) {
  auto* before = steps_.empty() ? nullptr : std::get_if<Binarize>(&steps_.back().op);
  if (before == nullptr || before->input != input || before->count == 2) return false;
  before->signs[before->count++] = signs;
  steps_.back().writes.push_back(signs.output);
  return true;
}

void Builder::add_add_slice(const AddSliceSpec& spec) {
  const std::size_t channels = shape_of(spec.addend, false).channels;
  shape_of(spec.input, false);
  shape_of(spec.output, false);
  require_same_shape(spec.input, spec.output);
  require_slice(spec.output, spec.addend, spec.at, channels);
  copy_for_update(spec.input, spec.output);
  add_step(AddSlice{spec.addend, spec.output, spec.at}, channels, {spec.addend}, {spec.output});
  ++program_steps_;
}

void Builder::add_concat(const std::vector<ValueId>& inputs, ValueId output) {
  std::size_t at = 0;
  for (const ValueId input : inputs) {
    const std::size_t channels = shape_of(input, false).channels;
    require_slice(output, input, at, channels);
    add_step(CopyPlanes{input, output, at, channels, nullptr}, channels, {input}, {output});
    at += channels;
  }
  require_size("output channels", shape_of(output, false).channels, at);
  ++program_steps_;
}

void Builder::add_select_channels(ValueId input, ValueId output, Array<std::int32_t> index) {
  const auto channels = static_cast<std::int64_t>(shape_of(input, false).channels);
  require_slice(output, input, 0, index.size);
  require_size("index", index.size, shape_of(output, false).channels);
  require(std::all_of(index.data, index.data + index.size,
                      [&](std::int32_t c) { return c >= -1 && c < channels; }),
          "an index is neither a channel nor -1");
  add_step(CopyPlanes{input, output, 0, index.size, weights_.copy(index.data, index.size)},
           index.size, {input}, {output});
  ++program_steps_;
}

void Builder::add_global_avg_pool(ValueId input, ValueId output) {
  const std::size_t channels = shape_of(input, false).channels;
  const Planes& out = shape_of(output, false);
  require(out.channels == channels && out.height == 1 && out.width == 1,
          "global_avg_pool cannot turn " + text(values_[input].planes) + " into " + text(out));
  add_step(GlobalAvgPool{input, output}, channels, {input}, {output});
  ++program_steps_;
}

void Builder::add_linear(const LinearSpec& spec) {
  const Planes& in = shape_of(spec.input, false);
  const Planes& out = shape_of(spec.output, false);
  const std::size_t k = in.channels * in.height * in.width;
  require(out.height == 1 && out.width == 1,
          "linear needs an output of shape (O, 1, 1), got " + text(out));
  require_size("weight", spec.weight.size, out.channels * k);
  if (spec.bias.size != 0) require_size("bias", spec.bias.size, out.channels);
  const std::size_t padded = round_up(out.channels, max_float_lanes);
  const Linear op{spec.input,
                  spec.output,
                  out.channels,
                  padded,
                  transpose_weights(spec.weight.data, out.channels, k, padded, weights_),
                  pad_bias(spec.bias, padded, weights_)};
  add_step(op, divide_up(padded, linear_block), {spec.input}, {spec.output});
  ++program_steps_;
}

std::unique_ptr<Model> Builder::build(ValueId input, ValueId output) {
  std::vector<bool> assigned(values_.size(), false);
  shape_of(input, false);
  const Planes& logits = shape_of(output, false);
  require(logits.height == 1 && logits.width == 1,
          "the output must have shape (classes, 1, 1), got " + text(logits));
  assigned[input] = true;
  for (const Step& step : steps_) {
    for (const ValueId id : step.reads)
      require(assigned[id], "value " + std::to_string(id) + " is read too early");
    for (const ValueId id : step.writes) assigned[id] = true;
  }
  require(assigned[output], "the output is never assigned");
  Model::Parts parts{kernels_,
                     std::move(values_),
                     std::move(steps_),
                     std::move(weights_),
                     std::move(tables_),
                     input,
                     output,
                     std::exchange(program_values_, 0),  // no values are left here
                     program_steps_,
                     scratch_,
                     0};
  parts.arena = plan(parts.values, parts.steps, input, output);
  return std::make_unique<Model>(std::move(parts));
}

}  // namespace bnas
