// Runs random steps on every instruction set of this machine and compares them with the scalar one,
// bit for bit; tests/kernels compares the scalar one with the reference. Needs no Python, so that
// it runs under an emulator and with sanitizers. Exits with 1 where bits differ.
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "dispatch/dispatch.h"
#include "selftest/random_model.h"

namespace bnas {
namespace {

#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)
constexpr std::size_t threads = 1;  // there are no others
#else
constexpr std::size_t threads = 2;
#endif

std::vector<float> logits(const Kernels& kernels, unsigned seed) {
  const std::unique_ptr<Model> model = random_model(kernels, seed);
  Random random(~seed);
  const std::size_t batch = 3;
  const std::vector<float> images = floats(random, batch * model->image_size());
  std::vector<float> out(batch * model->classes());
  model->run(images.data(), batch, out.data(), threads);
  return out;
}

int compare(const Kernels& kernels, const Kernels& scalar, unsigned programs) {
  int differing = 0;
  for (unsigned seed = 0; seed < programs; ++seed) {
    const std::vector<float> got = logits(kernels, seed), want = logits(scalar, seed);
    differing += std::memcmp(got.data(), want.data(), want.size() * sizeof(float)) != 0;
  }
  std::printf("%s: %u programs, %d differ from %s\n", kernels.name, programs, differing,
              scalar.name);
  return differing;
}

}  // namespace
}  // namespace bnas

int main() {
  int differing = 0;
  const std::vector<bnas::Isa>& all = bnas::isas();
  for (const bnas::Isa& isa : all) {
    if (isa.missing.empty()) differing += bnas::compare(*isa.kernels, *all.back().kernels, 200);
  }
  return differing == 0 ? 0 : 1;
}
