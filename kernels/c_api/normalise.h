// RGB bytes to a network's input, as docs/format.md says; not the reading or cutting of pictures.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "reader/model_file.h"

namespace bnas {

class Normaliser {
 public:
  explicit Normaliser(const Preprocessing& preprocessing);

  std::size_t channels() const { return tables_.size(); }
  // From (pixels, channels) to (channels, pixels).
  void apply(const std::uint8_t* interleaved, std::size_t pixels, float* planes) const;

 private:
  // [channel][byte]: there are only so many results.
  std::vector<std::array<float, 256>> tables_;
};

}  // namespace bnas
