#include "c_api/normalise.h"

namespace bnas {

Normaliser::Normaliser(const Preprocessing& preprocessing) {
  const std::size_t channels = preprocessing.mean.size();
  if (channels != 1 && channels != 3) return;
  tables_.resize(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const auto mean = static_cast<float>(preprocessing.mean[c]);
    const auto std = static_cast<float>(preprocessing.std[c]);
    for (std::size_t byte = 0; byte < tables_[c].size(); ++byte)
      tables_[c][byte] = (static_cast<float>(byte) / 255.0F - mean) / std;
  }
}

void Normaliser::apply(const std::uint8_t* interleaved, std::size_t pixels, float* planes) const {
  for (std::size_t c = 0; c < channels(); ++c) {
    for (std::size_t i = 0; i < pixels; ++i)
      planes[c * pixels + i] = tables_[c][interleaved[i * channels() + c]];
  }
}

}  // namespace bnas
