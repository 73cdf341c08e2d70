// Damages .bnn files in random ways and loads them: nothing may crash, hang or leak (run it with
// sanitizers), and what is still accepted must run. Whether the right files are refused is checked
// against Python's reader, in tests/c_api. Arguments: mutations a file, files.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "c_api/bnas.h"
#include "reader/file.h"
#include "selftest/seal.h"

namespace {

using Bytes = std::vector<std::uint8_t>;
using Random = std::mt19937;

std::size_t below(Random& random, std::size_t n) { return n == 0 ? 0 : random() % n; }

std::uint8_t replacement(Random& random) {
  constexpr char likely[] = "0123456789-+.eE[]{},:\"\\ unlx";
  if (below(random, 4) == 0) return static_cast<std::uint8_t>(random());
  return static_cast<std::uint8_t>(likely[below(random, sizeof likely - 1)]);
}

void mutate(Random& random, Bytes& blob) {
  const std::size_t limit = below(random, 4) == 0 ? blob.size() : bnas::header_end(blob);
  for (std::size_t n = 1 + below(random, 3); n-- > 0;) {
    const std::size_t at = below(random, limit);
    if (below(random, 16) == 0) {
      blob.resize(at + 8);
      return;
    }
    const std::size_t from = below(random, limit), count = 1 + below(random, 12);
    const bool copy = below(random, 3) == 0;
    for (std::size_t i = 0; i < count && at + i < limit && from + i < limit; ++i) {
      blob[at + i] = copy ? blob[from + i] : replacement(random);
      if (!copy && i == 0 && below(random, 2) == 0) break;
    }
  }
}

// Whether it was accepted.
bool load(const Bytes& blob) {
  bnas_model* model = nullptr;
  bnas_error error;
  const bnas_status status =
      bnas_model_load_memory(blob.data(), blob.size(), "scalar", &model, &error);
  if (status == BNAS_ERROR_INTERNAL || (status != BNAS_OK && error.message[0] == '\0')) {
    std::printf("status %d: %s\n", status, error.message);
    std::abort();
  }
  if (status != BNAS_OK) return false;
  bnas_description about;
  bnas_model_describe(model, &about);
  const std::size_t size = about.channels * about.height * about.width;
  if (size < 100000) {
    const std::vector<float> image(size, 0.5F);
    std::vector<float> logits(about.classes);
    bnas_model_run(model, image.data(), 1, 1, logits.data(), nullptr);
  }
  bnas_model_free(model);
  return true;
}

int try_file(const char* path, int mutations) {
  const Bytes original = bnas::read_file(path);
  if (!load(original)) return 1;
  int accepted = 0;
  for (int seed = 0; seed < mutations; ++seed) {
    Random random(static_cast<unsigned>(seed));
    Bytes blob = original;
    mutate(random, blob);
    if (seed % 8 != 0) bnas::seal(blob);
    accepted += load(blob);
  }
  std::printf("%s: %d mutations, %d accepted\n", path, mutations, accepted);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int mutations = argc > 2 ? std::atoi(argv[1]) : 0;
  int failed = mutations < 1;
  for (int i = 2; i < argc; ++i) failed += try_file(argv[i], mutations);
  return failed == 0 ? 0 : 1;
}
