#include "reader/steps/windows.h"

#include <algorithm>

namespace bnas {
namespace {

template <std::size_t count>
void require_extents(const StepReader& s, const char* field,
                     const std::array<std::int64_t, count>& numbers, std::int64_t least) {
  const auto within = [least](std::int64_t n) {
    return n >= least && n <= static_cast<std::int64_t>(extent_limit);
  };
  s.require(std::all_of(numbers.begin(), numbers.end(), within),
            "field '" + std::string(field) + "' must lie between " + std::to_string(least) +
                " and " + std::to_string(extent_limit) + ", got " + listed(numbers));
}

template <std::size_t count>
void copy(const std::array<std::int64_t, count>& from, std::size_t (&to)[count]) {
  std::transform(from.begin(), from.end(), to,
                 [](std::int64_t n) { return static_cast<std::size_t>(n); });
}

// Output pixels along one axis, 0 where the window does not fit. All numbers are within bounds.
std::size_t window_extent(const WindowSpec& w, std::size_t axis, std::size_t size) {
  const std::uint64_t padded = size + w.padding[axis] + w.padding[axis + 2];
  const std::uint64_t reach = std::uint64_t{w.dilation[axis]} * (w.kernel[axis] - 1) + 1;
  return padded < reach ? 0 : static_cast<std::size_t>((padded - reach) / w.stride[axis] + 1);
}

}  // namespace

Windows read_windows(StepReader& s, const Shape& in, const KernelSize& kernel, bool dilated) {
  const auto stride = s.integers<2>("stride");
  const auto padding = s.integers<4>("padding");
  const auto dilation = dilated ? s.integers<2>("dilation") : std::array<std::int64_t, 2>{1, 1};
  require_extents(s, "kernel", kernel, 1);
  s.require(static_cast<std::uint64_t>(kernel[0] * kernel[1]) <= window_limit,
            "field 'kernel': a window has at most " + std::to_string(window_limit) +
                " positions, got " + listed(kernel));
  require_extents(s, "stride", stride, 1);
  require_extents(s, "dilation", dilation, 1);
  require_extents(s, "padding", padding, 0);
  Windows windows{};
  copy(kernel, windows.spec.kernel);
  copy(stride, windows.spec.stride);
  copy(padding, windows.spec.padding);
  copy(dilation, windows.spec.dilation);
  windows.height = window_extent(windows.spec, 0, in.height);
  windows.width = window_extent(windows.spec, 1, in.width);
  s.require(windows.height != 0 && windows.width != 0,
            "the window does not fit into " + std::to_string(in.height) + " x " +
                std::to_string(in.width) + " pixels and the padding");
  return windows;
}

KernelSize kernel_of(StepReader& s, const Tensor& weight, std::size_t channels) {
  s.require(weight.shape.size() == 4 && weight.shape[1] == channels,
            "field 'weight': expected shape (O, " + std::to_string(channels) + ", kh, kw), got " +
                listed(weight.shape));
  const auto bounded = [](std::uint64_t extent) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(extent, extent_limit + 1));
  };
  return {bounded(weight.shape[2]), bounded(weight.shape[3])};
}

std::size_t read_groups(StepReader& s, std::size_t channels) {
  const std::array<std::int64_t, 1> groups = {s.integer("groups")};
  require_extents(s, "groups", groups, 1);
  const auto count = static_cast<std::size_t>(groups[0]);
  s.require(channels % count == 0, "field 'groups': " + std::to_string(count) + " do not divide " +
                                       std::to_string(channels) + " channels");
  return count;
}

void require_groups(StepReader& s, std::size_t groups, std::uint64_t outputs) {
  s.require(outputs % groups == 0, "field 'groups': " + std::to_string(groups) + " do not divide " +
                                       std::to_string(outputs) + " outputs");
}

Windows read_pool_windows(StepReader& s, const Shape& in) {
  const Windows w = read_windows(s, in, s.integers<2>("kernel"), false);
  for (std::size_t i = 0; i < 4; ++i)
    s.require(w.spec.padding[i] < w.spec.kernel[i % 2], "padding must be less than the kernel");
  s.scope().work.add(
      {0, in.channels * w.taps(), w.positions(), times(w.positions(), in.channels * float_work)});
  return w;
}

}  // namespace bnas
