// Pools of floats and of bits, and means.
#include <algorithm>
#include <variant>

#include "core/build/draft.h"
#include "core/build/windows.h"
#include "core/repack/binary.h"
#include "core/sizes.h"

namespace bnas {
namespace {

bool column_inside(const Window& w, std::size_t kx, std::size_t x) {
  const std::size_t column = x * w.stride_x + kx;  // of the padded image
  return column >= w.pad_left && column - w.pad_left < w.in_w;
}

// A power of two divides as well as its inverse multiplies, to the bit.
float exact_inverse(const Window& w) {
  const std::size_t taps = taps_of(w);
  const bool complete = w.pad_top + w.pad_left == 0 &&
                        (w.out_h - 1) * w.stride_y + w.kernel_h <= w.in_h &&
                        (w.out_w - 1) * w.stride_x + w.kernel_w <= w.in_w;
  return complete && (taps & (taps - 1)) == 0 ? 1.0f / static_cast<float>(taps) : 0.0f;
}

// Whether a step leaves no NaN and no -0 in a value: whether a ReLU is the last that it does.
template <class Step>
bool ends_in_relu(const Step&, ValueId) {
  return false;
}
bool ends_in_relu(const Relu&, ValueId) { return true; }
bool ends_in_relu(const Conv2d& conv, ValueId) { return conv.relu; }
bool ends_in_relu(const QuantizedConv& conv, ValueId) { return conv.relu; }
bool ends_in_relu(const BinaryConv& conv, ValueId id) {
  return std::all_of(conv.stages, conv.stages + conv.stage_count, [id](const Stage& stage) {
    return stage.output != id || (stage.relu && !stage.accumulate);
  });
}
bool ends_in_relu(const TurnedConv& step, ValueId id) { return ends_in_relu(step.conv, id); }
bool ends_in_relu(const DepthwiseConv& step, ValueId id) { return ends_in_relu(step.conv, id); }

// Of the greatest values of a window the first counts, which shows only where they are zeros of
// both signs.
bool any_order(const Draft& draft, ValueId input) {
  const Step* writer = draft.writer_of(input);
  return writer != nullptr &&
         std::visit([input](const auto& op) { return ends_in_relu(op, input); }, writer->op);
}

// Whether an output needs two columns of its own, or the one before as well, all inside the image
// or to the left of it.
bool two_columns(const Window& w) {
  const bool kernel = (w.kernel_w == 2 && w.pad_left == 0) || (w.kernel_w == 3 && w.pad_left == 1);
  return w.stride_x == 2 && kernel && 2 * w.out_w <= w.in_w;
}

// A sum has its order: that of four values is kept.
bool can_halve(const Draft& draft, const PoolSpec& s, const Window& w, float inverse) {
  if (!two_columns(w)) return false;
  if (!s.average) return any_order(draft, s.input);
  return inverse != 0.0f && w.kernel_h == 2 && w.kernel_w == 2;
}

}  // namespace

void build(Draft& draft, const PoolSpec& s) {
  const Window window = window_of(draft, s.window, s.input, s.output);
  const std::size_t lanes = draft.kernels.float_lanes;
  const std::size_t vectors = divide_up(window.out_w, lanes);
  auto* columns = draft.tables.allocate<std::uint64_t>(product(window.kernel_w, vectors));
  auto* counts = draft.tables.allocate<float>(vectors * lanes);
  for (std::size_t kx = 0; kx < window.kernel_w; ++kx) {
    for (std::size_t x = 0; x < window.out_w; ++x) {
      if (!column_inside(window, kx, x)) continue;
      columns[x / lanes * window.kernel_w + kx] |= std::uint64_t{1} << x % lanes;
      counts[x] += 1.0f;
    }
  }
  const float inverse = exact_inverse(window);
  const Pool op{s.input,   s.output, window,
                s.average, vectors,  columns,
                counts,    inverse,  can_halve(draft, s, window, inverse)};
  draft.add_step(op, draft.planes(s.input).channels, {s.input}, {s.output});
}

void build(Draft& draft, const PoolBitsSpec& s) {
  const Window window = window_of(draft, s.window, s.input, s.output);
  const Planes& in = draft.planes(s.input);
  // Windows may end before the padding does.
  const std::size_t reach = (window.out_w - 1) * window.stride_x + window.kernel_w;
  const std::size_t row =
      round_up(std::max(window.pad_left + in.width, reach), max_lanes) + 2 * max_lanes;
  const PoolBits op{s.input, s.output, window, bytes_of_bits(s.minimum, in.channels, draft.tables),
                    row};
  draft.need_scratch(2 * row);
  draft.add_step(op, in.planes, {s.input}, {s.output});
}

void build(Draft& draft, const GlobalAvgPoolSpec& s) {
  draft.add_step(GlobalAvgPool{s.input, s.output}, draft.planes(s.input).channels, {s.input},
                 {s.output});
}

void build(Draft& draft, const MeanMagnitudeSpec& s) {
  const Planes& in = draft.planes(s.input);
  const MeanMagnitude op{s.input,
                         s.output,
                         draft.weights.copy(s.scale.data, in.channels),
                         draft.weights.copy(s.shift.data, in.channels),
                         s.terms.data[0],
                         s.terms.data[1]};
  draft.add_step(op, divide_up(in.stride, max_float_lanes), {s.input}, {s.output});
}

}  // namespace bnas
