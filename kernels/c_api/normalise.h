// RGB bytes to a network's input, as docs/format.md says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "reader/model_file.h"

namespace bnas {

class Normaliser {
 public:
  static constexpr std::size_t channels = 3;

  // Preprocessing of another number of channels is not that of a picture, and does nothing.
  explicit Normaliser(const Preprocessing& preprocessing);

  // From (pixels, channels) to (channels, pixels).
  void apply(const std::uint8_t* interleaved, std::size_t pixels, float* planes) const;

 private:
  // [channel][byte]: there are only so many results.
  std::array<std::array<float, 256>, channels> tables_{};
};

}  // namespace bnas
