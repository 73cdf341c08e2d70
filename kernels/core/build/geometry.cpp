#include "core/build/geometry.h"

#include <algorithm>
#include <map>

#include "core/sizes.h"

namespace bnas {
namespace {

// More phases than that cost more memory and time than going row by row: each is padded to whole
// vectors.
constexpr std::size_t max_phases = 64;

// Taps may lie so far outside an image that their place in memory has more than 32 bits.
std::int64_t signed_size(std::size_t n) { return static_cast<std::int64_t>(n); }

struct Displacement {
  std::int64_t y, x;  // input pixels from (y * stride, x * stride) of the output pixel (y, x)
};

Displacement displacement(const Window& w, std::size_t tap) {
  return {signed_size(tap / w.kernel_w) * signed_size(w.dilation_y) - signed_size(w.pad_top),
          signed_size(tap % w.kernel_w) * signed_size(w.dilation_x) - signed_size(w.pad_left)};
}

std::int64_t floor_divide(std::int64_t a, std::size_t by) {
  const std::int64_t b = signed_size(by);
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

struct Span {
  std::size_t begin, end;
};

// The n in [0, count) with 0 <= n * stride + shift < extent.
Span inside_span(std::int64_t shift, std::size_t stride, std::size_t extent, std::size_t count) {
  const auto clamp = [count](std::int64_t n) {
    return static_cast<std::size_t>(std::clamp<std::int64_t>(n, 0, signed_size(count)));
  };
  const std::size_t begin = clamp(-floor_divide(shift, stride));
  const std::size_t end = clamp(-floor_divide(shift - signed_size(extent), stride));
  return {begin, std::max(begin, end)};
}

// The output rows and columns for which a tap lies inside the image.
struct Inside {
  Span rows, columns;
};

Inside inside_of(const Window& w, std::size_t tap) {
  const Displacement d = displacement(w, tap);
  return {inside_span(d.y, w.stride_y, w.in_h, w.out_h),
          inside_span(d.x, w.stride_x, w.in_w, w.out_w)};
}

std::uint64_t bits_below(std::size_t n) {
  return n < 64 ? (std::uint64_t{1} << n) - 1 : ~std::uint64_t{0};
}

// Bit i: the tap of pixel first + i is inside; taken row by row, as most rows of a tap are alike.
std::uint64_t mask_of(const Inside& tap, std::size_t out_w, Span pixels) {
  std::uint64_t mask = 0;
  for (std::size_t y = pixels.begin / out_w; y * out_w < pixels.end; ++y) {
    if (y < tap.rows.begin || y >= tap.rows.end) continue;
    const std::size_t begin = std::max(pixels.begin, y * out_w + tap.columns.begin);
    const std::size_t end = std::min(pixels.end, y * out_w + tap.columns.end);
    if (begin < end) mask |= bits_below(end - pixels.begin) & ~bits_below(begin - pixels.begin);
  }
  return mask;
}

// Finds the patterns of all vectors; each is the list of its taps' masks.
void find_patterns(const Window& w, std::size_t lanes, Geometry& g) {
  std::vector<Inside> taps;
  for (std::size_t t = 0; t < taps_of(w); ++t) taps.push_back(inside_of(w, t));
  const std::size_t count = w.out_h * w.out_w;
  std::map<std::vector<std::uint64_t>, std::uint32_t> known;
  std::vector<std::uint64_t> masks(taps.size());
  for (std::size_t first = 0; first < count; first += lanes) {
    const Span pixels{first, std::min(first + lanes, count)};
    for (std::size_t t = 0; t < taps.size(); ++t) masks[t] = mask_of(taps[t], w.out_w, pixels);
    const auto found = known.emplace(masks, static_cast<std::uint32_t>(known.size()));
    if (found.second) g.inside.insert(g.inside.end(), masks.begin(), masks.end());
    g.pattern.push_back(found.first->second);
  }
  g.patterns = known.size();
}

// Finds the phases of the image that the taps read, and each tap's shift in its phase.
void find_offsets(const Window& w, std::size_t planes, Kind kind, Geometry& g) {
  const std::size_t slot_size = product(planes, plane_stride(kind, product(g.phase_h, g.phase_w)));
  for (std::size_t t = 0; t < taps_of(w); ++t) {
    const Displacement d = displacement(w, t);
    const std::int64_t y = floor_divide(d.y, w.stride_y);
    const std::int64_t x = floor_divide(d.x, w.stride_x);
    const Phase phase{static_cast<std::size_t>(d.y - y * signed_size(w.stride_y)),
                      static_cast<std::size_t>(d.x - x * signed_size(w.stride_x))};
    auto slot = std::find(g.phases.begin(), g.phases.end(), phase);
    if (slot == g.phases.end()) slot = g.phases.insert(slot, phase);
    const std::size_t start = product(static_cast<std::size_t>(slot - g.phases.begin()), slot_size);
    // Of a tap that no pixel has inside the image any number will do: it is not used.
    g.offset.push_back(
        static_cast<std::ptrdiff_t>(signed_size(start) + y * signed_size(g.phase_w) + x));
  }
}

}  // namespace

std::size_t taps_of(const Window& w) { return w.kernel_h * w.kernel_w; }

std::size_t plane_stride(Kind kind, std::size_t pixels) {
  constexpr std::size_t crowded = 1024;  // bytes
  const bool bits = kind == Kind::bits;
  const std::size_t multiple = bits ? max_lanes : max_float_lanes;
  const std::size_t stride = round_up(pixels, multiple);
  const std::size_t in_crowd = bits ? crowded : crowded / sizeof(float);
  return stride % in_crowd == 0 ? sum(stride, multiple) : stride;
}

Geometry make_geometry(const Window& w, std::size_t lanes, std::size_t planes, Kind kind) {
  Geometry g{};
  g.pixels = w.out_h * w.out_w;
  g.kernel_w = w.kernel_w;
  g.phase_h = divide_up(w.in_h, w.stride_y);
  g.phase_w = divide_up(w.in_w, w.stride_x);
  find_patterns(w, lanes, g);
  const std::size_t phases = std::min(w.kernel_h, w.stride_y) * std::min(w.kernel_w, w.stride_x);
  if (g.phase_w != w.out_w || phases > max_phases) {
    g.gather = Gather::rows;
    g.offset.assign(taps_of(w), 0);
    return g;
  }
  find_offsets(w, planes, kind, g);
  if (w.stride_y == 1 && w.stride_x == 1) g.phases.clear();
  const bool aligned = taps_of(w) == 1 && g.offset[0] == 0 && w.out_h <= g.phase_h;
  g.gather = aligned ? Gather::direct : Gather::shifted;
  return g;
}

}  // namespace bnas
