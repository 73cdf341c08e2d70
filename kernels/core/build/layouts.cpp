#include "core/build/layouts.h"

#include "core/build/geometry.h"
#include "core/build/tap_sets.h"
#include "core/sizes.h"

namespace bnas {
namespace {

// Instructions a vector, as measured on machines with a popcount of vectors. Counting takes three
// a step; those that turn counts into bits or floats, and those that bring the operands together,
// are averages over the kinds of both.
constexpr double count_step = 3, finish_planes = 16, finish_chunk = 14, finish_turned = 30,
                 finish_pixels = 12, gather_step = 6, split_byte = 1, encode_pixel = 2,
                 pack_word = 8;

// Pixels of the output times taps that are worth that.
constexpr std::size_t most_positions = std::size_t{1} << 22;

double times(std::size_t a, std::size_t b) {
  return static_cast<double>(a) * static_cast<double>(b);
}

// Taps inside the image, of all pixels; along one axis, as the other's are the same for each.
std::size_t taps_inside(std::size_t kernel, std::size_t stride, std::size_t dilation,
                        std::size_t pad, std::size_t in, std::size_t out) {
  std::size_t count = 0;
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t k = 0; k < kernel; ++k) {
      const std::size_t at = o * stride + k * dilation;
      count += at >= pad && at - pad < in ? 1 : 0;
    }
  }
  return count;
}

// Vectors of eight channels of `lanes` pixels or outputs, for each of `others`.
double cost_of_planes(std::size_t steps, std::size_t lanes, std::size_t filled, double finish,
                      std::size_t others) {
  const double chunks = static_cast<double>(divide_up(steps, steps_per_byte));
  const double each =
      count_step * static_cast<double>(steps) + finish + finish_chunk * (chunks - 1);
  return each * times(divide_up(filled, lanes), others);
}

double cost_of_pixels(const BinaryShape& shape, const Window& w) {
  const std::size_t words = divide_up(shape.channels, channels_per_word);
  const std::size_t vectors = divide_up(shape.outputs, word_lanes);
  const double taps =
      times(taps_inside(w.kernel_h, w.stride_y, w.dilation_y, w.pad_top, w.in_h, w.out_h),
            taps_inside(w.kernel_w, w.stride_x, w.dilation_x, w.pad_left, w.in_w, w.out_w));
  const double pixels = times(w.out_h, w.out_w);
  const double counting = count_step * taps * times(words, vectors);
  return counting + finish_pixels * pixels * static_cast<double>(vectors) +
         pack_word * times(w.in_h * w.in_w, words);
}

}  // namespace

Layout choose_layout(const Kernels& kernels, const BinaryShape& shape, const Window& w) {
  if (kernels.turned_conv == nullptr || shape.groups > 1) return Layout::planes;
  const std::size_t lanes = kernels.byte_lanes, pixels = w.out_h * w.out_w;
  // The others find out for each pixel which taps it has inside the image.
  if (shape.taps * pixels > most_positions) return Layout::planes;
  const std::size_t steps = shape.taps * planes_for(shape.channels);
  const double gathering =
      (shape.taps > 1 ? gather_step * times(steps, divide_up(pixels, lanes)) : 0.0) +
      (w.stride_y * w.stride_x > 1 ? split_byte * times(w.in_h * w.in_w, planes_for(shape.channels))
                                   : 0.0);
  const double planes =
      gathering + cost_of_planes(steps, lanes, pixels, finish_planes, shape.outputs);
  const double turned = gathering + encode_pixel * times(steps, pixels) +
                        cost_of_planes(steps, lanes, shape.outputs, finish_turned, pixels);
  const Layout bytes = turned < planes ? Layout::turned : Layout::planes;
  const std::size_t words = divide_up(shape.channels, channels_per_word);
  if (kernels.pixel_conv == nullptr || !fits_tap_sets(w, words)) return bytes;
  const double best = turned < planes ? turned : planes;
  return cost_of_pixels(shape, w) < best ? Layout::pixels : bytes;
}

}  // namespace bnas
