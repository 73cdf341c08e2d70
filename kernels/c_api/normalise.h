// Bytes of a picture to a network's input, as docs/format.md says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reader/model_file.h"

namespace bnas {

class Normaliser {
 public:
  // Preprocessing of another number of channels is not that of a picture, and does nothing.
  explicit Normaliser(const Preprocessing& preprocessing);

  // 3 for colours, 1 for grey, and 0 where the input is no picture.
  std::size_t channels() const { return tables_.size(); }

  // From (pixels, channels) to (channels, pixels).
  void apply(const std::uint8_t* interleaved, std::size_t pixels, float* planes) const;

 private:
  // [channel][byte]: there are only so many results.
  std::vector<std::array<float, 256>> tables_;
};

}  // namespace bnas
