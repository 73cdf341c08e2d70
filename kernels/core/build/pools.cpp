// Pools of floats and of bits, and means.
#include <algorithm>

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
  const Pool op{s.input, s.output, window, s.average,
                vectors, columns,  counts, exact_inverse(window)};
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
