#include "core/build/tap_sets.h"

#include <algorithm>
#include <map>

#include "core/build/geometry.h"
#include "core/sizes.h"

namespace bnas {
namespace {

// Input rows or columns along one axis.
struct Axis {
  std::size_t kernel, stride, dilation, pad, in;

  std::int64_t origin(std::size_t out) const {
    return static_cast<std::int64_t>(out * stride) - static_cast<std::int64_t>(pad);
  }
  bool inside(std::size_t out, std::size_t k) const {
    const std::int64_t at = origin(out) + static_cast<std::int64_t>(k * dilation);
    return at >= 0 && at < static_cast<std::int64_t>(in);
  }
  // For each output, a number that it shares with those whose taps are inside alike.
  std::vector<std::size_t> kinds(std::size_t outputs) const {
    std::map<std::vector<bool>, std::size_t> known;
    std::vector<std::size_t> kinds;
    for (std::size_t out = 0; out < outputs; ++out) {
      std::vector<bool> taps(kernel);
      for (std::size_t k = 0; k < kernel; ++k) taps[k] = inside(out, k);
      kinds.push_back(known.emplace(taps, known.size()).first->second);
    }
    return kinds;
  }
};

constexpr std::uint32_t none = UINT32_MAX;

class Maker {
 public:
  Maker(const Window& w, std::size_t words)
      : w_(w),
        words_(words),
        y_{w.kernel_h, w.stride_y, w.dilation_y, w.pad_top, w.in_h},
        x_{w.kernel_w, w.stride_x, w.dilation_x, w.pad_left, w.in_w},
        rows_(y_.kinds(w.out_h)),
        columns_(x_.kinds(w.out_w)),
        column_kinds_(*std::max_element(columns_.begin(), columns_.end()) + 1),
        known_((*std::max_element(rows_.begin(), rows_.end()) + 1) * column_kinds_, none) {}

  TapSets make() {
    const std::size_t pixels = w_.out_h * w_.out_w;
    result_.first.push_back(0);
    for (std::size_t first = 0; first < pixels; first += pixel_band) {
      add_band(first, std::min(pixel_band, pixels - first));
      result_.first.push_back(result_.tiles.size());
    }
    return std::move(result_);
  }

 private:
  void add_band(std::size_t first, std::size_t count) {
    std::map<std::uint32_t, std::vector<std::size_t>> members;  // by set
    std::vector<std::size_t>* some = nullptr;
    for (std::size_t i = first, last = none; i < first + count; ++i) {
      const std::uint32_t set = set_of(i);
      if (set != last) some = &members[set];
      last = set;
      some->push_back(i);
    }
    for (const auto& [set, pixels] : members) {
      const std::size_t tiles = divide_up(pixels.size(), pixel_tile);
      for (std::size_t t = 0; t < tiles; ++t) {
        const std::size_t begin = pixels.size() * t / tiles, end = pixels.size() * (t + 1) / tiles;
        add_tile(set,
                 {pixels.begin() + static_cast<std::ptrdiff_t>(begin),
                  pixels.begin() + static_cast<std::ptrdiff_t>(end)},
                 first);
      }
    }
  }

  void add_tile(std::uint32_t set, const std::vector<std::size_t>& pixels, std::size_t first) {
    PixelTile tile{set, static_cast<std::uint32_t>(pixels.size()), {}, {}};
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      tile.source[i] = word_at(y_.origin(pixels[i] / w_.out_w), x_.origin(pixels[i] % w_.out_w));
      tile.place[i] = static_cast<std::uint32_t>(pixels[i] - first);
    }
    result_.tiles.push_back(tile);
  }

  std::uint32_t set_of(std::size_t pixel) {
    const std::size_t y = pixel / w_.out_w, x = pixel % w_.out_w;
    std::uint32_t& set = known_[rows_[y] * column_kinds_ + columns_[x]];
    if (set == none) {
      set = static_cast<std::uint32_t>(result_.sets.size());
      add_set(y, x);
    }
    return set;
  }

  void add_set(std::size_t y, std::size_t x) {
    const std::size_t first = result_.tap.size();
    for (std::size_t t = 0; t < taps_of(w_); ++t) {
      const std::size_t ky = t / w_.kernel_w, kx = t % w_.kernel_w;
      if (!y_.inside(y, ky) || !x_.inside(x, kx)) continue;
      result_.tap.push_back(static_cast<std::uint32_t>(t));
      result_.offset.push_back(word_at(static_cast<std::int64_t>(ky * w_.dilation_y),
                                       static_cast<std::int64_t>(kx * w_.dilation_x)));
    }
    result_.sets.push_back({first, result_.tap.size() - first});
  }

  std::int32_t word_at(std::int64_t y, std::int64_t x) const {
    return static_cast<std::int32_t>((y * static_cast<std::int64_t>(w_.in_w) + x) *
                                     static_cast<std::int64_t>(words_));
  }

  const Window& w_;
  std::size_t words_;
  Axis y_, x_;
  std::vector<std::size_t> rows_, columns_;
  std::size_t column_kinds_;
  std::vector<std::uint32_t> known_;  // [kind of row][kind of column] its set
  TapSets result_;
};

}  // namespace

TapSets make_tap_sets(const Window& window, std::size_t words) {
  return Maker(window, words).make();
}

bool fits_tap_sets(const Window& w, std::size_t words) {
  constexpr std::uint64_t most = 1u << 30, most_taps = 1u << 16;
  const std::uint64_t sizes[] = {w.in_h,     w.in_w,       w.pad_top,    w.pad_left,   w.kernel_h,
                                 w.kernel_w, w.dilation_y, w.dilation_x, w.pad_bottom, w.pad_right};
  // Sides of less than 2^12, so that no product of these is too large.
  for (const std::uint64_t size : sizes) {
    if (size >= 1u << 12) return false;
  }
  const std::uint64_t height = w.in_h + w.pad_top + w.pad_bottom;
  const std::uint64_t width = w.in_w + w.pad_left + w.pad_right;
  if (height * width > most / words) return false;
  // From one output to the next the first tap inside may change, and the last one.
  const std::uint64_t rows = std::min<std::uint64_t>(w.out_h, 2 * w.kernel_h + 1) * w.kernel_h;
  const std::uint64_t columns = std::min<std::uint64_t>(w.out_w, 2 * w.kernel_w + 1) * w.kernel_w;
  return rows * columns <= most_taps;
}

}  // namespace bnas
