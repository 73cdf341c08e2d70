// From a picture of any size to the bytes that a model takes, as docs/format.md says.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "c_api/bnas.h"
#include "c_api/boundary.h"
#include "c_api/model.h"
#include "c_api/resample.h"
#include "core/run/standard_floats.h"
#include "core/sizes.h"

namespace bnas {
namespace {

constexpr std::size_t opaque = 3, with_alpha = 4;  // bytes of a pixel that comes
// Larger ones come only from pictures thousands of times longer than wide.
constexpr double most_pixels = 67108864.0;

struct Size {
  std::size_t height, width;
};

// Over white, rounded as Pillow does.
std::uint8_t over_white(unsigned colour, unsigned alpha) {
  const unsigned both = (colour * alpha + 255 * (255 - alpha) + 128) << 7;
  return static_cast<std::uint8_t>(((both >> 8) + both) >> 15);
}

// Pillow's grey, which leaves a grey as it is.
std::uint8_t grey(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >>
                                   16);
}

Picture colours(const std::uint8_t* pixels, Size size, std::size_t bytes, std::size_t channels) {
  const std::size_t count = product(size.height, size.width);
  Picture picture{size.height, size.width, channels,
                  std::vector<std::uint8_t>(product(count, channels))};
  std::uint8_t* out = picture.bytes.data();
  for (std::size_t i = 0; i < count; ++i, pixels += bytes, out += channels) {
    std::uint8_t rgb[opaque];
    std::memcpy(rgb, pixels, opaque);
    if (bytes == with_alpha && pixels[opaque] != 255) {
      for (std::uint8_t& colour : rgb) colour = over_white(colour, pixels[opaque]);
    }
    if (channels == 1) {
      *out = grey(rgb);
    } else {
      std::memcpy(out, rgb, opaque);
    }
  }
  return picture;
}

// The shorter side becomes `shorter`.
Size resized(Size size, std::size_t shorter) {
  const auto to = static_cast<double>(shorter);
  const auto less = static_cast<double>(std::min(size.height, size.width));
  const auto more = static_cast<double>(std::max(size.height, size.width));
  const double longer = std::nearbyint(more * (to / less));
  require_argument(to * longer <= most_pixels, "the picture is too elongated to be resized");
  const auto other = static_cast<std::size_t>(longer);
  return size.width <= size.height ? Size{other, shorter} : Size{shorter, other};
}

void prepare(const bnas_model& model, const std::uint8_t* pixels, Size size, std::size_t bytes,
             std::uint8_t* prepared) {
  const Size whole = resized(size, model.preprocessing.resize);
  const Shape& input = model.input;
  const Cut rows{whole.height, (whole.height - input.height) / 2, input.height};
  const Cut columns{whole.width, (whole.width - input.width) / 2, input.width};
  const Picture cut = resample(colours(pixels, size, bytes, input.channels), rows, columns);
  std::copy(cut.bytes.begin(), cut.bytes.end(), prepared);
}

}  // namespace
}  // namespace bnas

bnas_status bnas_model_prepare(const bnas_model* model, const uint8_t* pixels, size_t height,
                               size_t width, size_t bytes, uint8_t* prepared, bnas_error* error) {
  return bnas::guarded(error, [=] {
    bnas::require_argument(model != nullptr, "model must not be NULL");
    bnas::require_argument(pixels != nullptr && prepared != nullptr,
                           "pixels and prepared must not be NULL");
    bnas::require_argument(height >= 1 && width >= 1, "height and width must be at least 1");
    bnas::require_argument(bytes == bnas::opaque || bytes == bnas::with_alpha,
                           "bytes of a pixel must be 3 (RGB) or 4 (RGBA)");
    bnas::require_picture(*model);
    const bnas::StandardFloats floats;
    bnas::prepare(*model, pixels, {height, width}, bytes, prepared);
  });
}
