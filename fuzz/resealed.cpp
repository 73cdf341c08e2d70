// Any bytes as a file whose checksum is made right first. What is accepted and small runs with
// every instruction set of this machine, which must give the same bits as the scalar one.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

#include "dispatch/dispatch.h"
#include "reader/error.h"
#include "reader/model_file.h"
#include "selftest/seal.h"

namespace {

constexpr std::uint64_t most_work = std::uint64_t{1} << 26;  // so that a run takes milliseconds

using Logits = std::vector<float>;

// Some numbers of both signs, zeros, infinities and NaN.
std::vector<float> image_of(const bnas::ModelFile& file) {
  const bnas::Shape& shape = file.input();
  std::vector<float> image(shape.channels * shape.height * shape.width);
  std::uint32_t state = 1;
  for (float& x : image) {
    state = state * 1664525 + 1013904223;
    x = state % 97 == 0   ? 0.0F
        : state % 89 == 0 ? -INFINITY
        : state % 83 == 0 ? NAN
                          : static_cast<float>(state >> 8) / 8388608.0F - 1.0F;
  }
  return image;
}

// Empty where the engine cannot run the program, in words.
Logits logits_of(const bnas::ModelFile& file, const bnas::Kernels& kernels,
                 const std::vector<float>& image) {
  try {
    const std::unique_ptr<bnas::Model> model = file.build(kernels);
    Logits logits(model->classes());
    model->run(image.data(), 1, logits.data(), 1);
    return logits;
  } catch (const std::invalid_argument&) {
    return {};
  }
}

// The sign and payload of a NaN are left open.
bool same(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b));
}

void require_same(const Logits& got, const Logits& want) {
  if (got.size() != want.size()) std::abort();
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!same(got[i], want[i])) std::abort();
  }
}

void run(const bnas::ModelFile& file) {
  const std::vector<float> image = image_of(file);
  const std::vector<bnas::Isa>& all = bnas::isas();
  const Logits want = logits_of(file, *all.back().kernels, image);
  for (const bnas::Isa& isa : all) {
    if (isa.missing.empty()) require_same(logits_of(file, *isa.kernels, image), want);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  std::vector<std::uint8_t> blob(data, data + size);
  bnas::seal(blob);
  try {
    const bnas::ModelFile file(blob.data(), blob.size());
    if (file.work() <= most_work) run(file);
  } catch (const bnas::FormatError&) {
  }
  return 0;
}
