#include "c_api/resample.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/sizes.h"

namespace bnas {
namespace {

// Weights are whole numbers of 2^-22, so that 255 times their sum fits 32 bits.
constexpr int precision = 22;
constexpr std::int32_t half = std::int32_t{1} << (precision - 1);

// What one pixel of the result is made of.
struct Weights {
  std::size_t first;
  std::vector<std::int32_t> of;
};

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

// Of pixel `at` of `to`, made of `from` pixels. Where the picture becomes smaller, the triangle is
// as many times wider.
Weights weights_of(std::size_t from, std::size_t to, std::size_t at) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double width = std::max(scale, 1.0);
  const double centre = (static_cast<double>(at) + 0.5) * scale;
  const auto first = static_cast<std::size_t>(std::max(0.0, centre - width + 0.5));
  const auto end = std::min(from, static_cast<std::size_t>(centre + width + 0.5));
  std::vector<double> parts;
  double sum = 0.0;
  for (std::size_t i = first; i < end; ++i) {
    parts.push_back(triangle((static_cast<double>(i) - centre + 0.5) * (1.0 / width)));
    sum += parts.back();
  }
  Weights weights{first, {}};
  for (const double part : parts)
    weights.of.push_back(static_cast<std::int32_t>(0.5 + part / sum * (1 << precision)));
  return weights;
}

std::uint8_t rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> precision, 0, 255));
}

// `step`: bytes between neighbours along the side that is resized.
std::uint8_t weighted(const Weights& weights, const std::uint8_t* in, std::size_t step) {
  std::int32_t sum = half;
  for (const std::int32_t weight : weights.of) {
    sum += *in * weight;
    in += step;
  }
  return rounded(sum);
}

std::vector<Weights> all_weights(std::size_t from, Cut cut) {
  std::vector<Weights> all;
  for (std::size_t i = 0; i < cut.count; ++i)
    all.push_back(weights_of(from, cut.whole, cut.first + i));
  return all;
}

// Rows [begin, end) of the picture, their columns resized and cut.
Picture resample_columns(const Picture& in, Cut columns, std::size_t begin, std::size_t end) {
  const std::vector<Weights> weights = all_weights(in.width, columns);
  const std::size_t channels = in.channels;
  Picture out{end - begin, columns.count, channels, {}};
  out.bytes.reserve(product(out.height, out.width, channels));
  for (std::size_t y = begin; y < end; ++y) {
    const std::uint8_t* row = in.bytes.data() + y * in.width * channels;
    for (const Weights& some : weights) {
      for (std::size_t c = 0; c < channels; ++c)
        out.bytes.push_back(weighted(some, row + some.first * channels + c, channels));
    }
  }
  return out;
}

Picture resample_rows(const Picture& in, const std::vector<Weights>& weights, std::size_t begin) {
  const std::size_t row = in.width * in.channels;
  Picture out{weights.size(), in.width, in.channels, {}};
  out.bytes.reserve(product(out.height, row));
  for (const Weights& some : weights) {
    const std::uint8_t* first = in.bytes.data() + (some.first - begin) * row;
    for (std::size_t i = 0; i < row; ++i) out.bytes.push_back(weighted(some, first + i, row));
  }
  return out;
}

}  // namespace

// Columns first, as Pillow does; a side that keeps its length has one weight of 1 a pixel, which
// changes nothing.
Picture resample(Picture picture, Cut rows, Cut columns) {
  const std::vector<Weights> weights = all_weights(picture.height, rows);
  if (weights.empty()) return {0, columns.count, picture.channels, {}};
  const std::size_t begin = weights.front().first;
  const std::size_t end = weights.back().first + weights.back().of.size();
  return resample_rows(resample_columns(picture, columns, begin, end), weights, begin);
}

}  // namespace bnas
