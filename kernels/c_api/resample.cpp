#include "c_api/resample.h"

#include <algorithm>
#include <cmath>

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

// `count` neighbouring bytes at a time. `step`: bytes between neighbours along the side that is
// resized.
template <std::size_t count>
void weigh(const Weights& weights, const std::uint8_t* in, std::size_t step, std::uint8_t* out) {
  std::int32_t sum[count];
  for (std::int32_t& x : sum) x = half;
  for (const std::int32_t weight : weights.of) {
    for (std::size_t i = 0; i < count; ++i) sum[i] += in[i] * weight;
    in += step;
  }
  for (std::size_t i = 0; i < count; ++i) out[i] = rounded(sum[i]);
}

std::vector<Weights> all_weights(std::size_t from, Cut cut) {
  std::vector<Weights> all;
  for (std::size_t i = 0; i < cut.count; ++i)
    all.push_back(weights_of(from, cut.whole, cut.first + i));
  return all;
}

// Rows [begin, end) of the picture, their columns resized and cut.
template <std::size_t channels>
Picture resample_columns(const Picture& in, Cut columns, std::size_t begin, std::size_t end) {
  const std::vector<Weights> weights = all_weights(in.width, columns);
  const std::size_t rows = end - begin, bytes = product(rows, columns.count, channels);
  Picture out{rows, columns.count, channels, std::vector<std::uint8_t>(bytes)};
  std::uint8_t* to = out.bytes.data();
  for (std::size_t y = begin; y < end; ++y) {
    const std::uint8_t* row = in.bytes.data() + y * in.width * channels;
    for (const Weights& some : weights) {
      weigh<channels>(some, row + some.first * channels, channels, to);
      to += channels;
    }
  }
  return out;
}

Picture resample_rows(const Picture& in, const std::vector<Weights>& weights, std::size_t begin) {
  const std::size_t row = in.width * in.channels, bytes = product(weights.size(), row);
  Picture out{weights.size(), in.width, in.channels, std::vector<std::uint8_t>(bytes)};
  std::uint8_t* to = out.bytes.data();
  for (const Weights& some : weights) {
    const std::uint8_t* first = in.bytes.data() + (some.first - begin) * row;
    for (std::size_t i = 0; i < row; ++i) weigh<1>(some, first + i, row, to++);
  }
  return out;
}

}  // namespace

// Columns first, as Pillow does; a side that keeps its length has one weight of 1 a pixel, which
// changes nothing.
Picture resample(const Picture& picture, Cut rows, Cut columns) {
  const std::vector<Weights> weights = all_weights(picture.height, rows);
  if (weights.empty()) return {0, columns.count, picture.channels, {}};
  const std::size_t begin = weights.front().first;
  const std::size_t end = weights.back().first + weights.back().of.size();
  const Picture narrow = picture.channels == 1 ? resample_columns<1>(picture, columns, begin, end)
                                               : resample_columns<3>(picture, columns, begin, end);
  return resample_rows(narrow, weights, begin);
}

}  // namespace bnas
