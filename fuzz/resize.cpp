// Pictures of any size, cut out of any larger or smaller one: the input's first bytes say which,
// the others are pixels.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "c_api/resample.h"

namespace {

constexpr std::size_t most = 512;  // pixels of a side

// The next two bytes as 1 ... most.
std::size_t side(const std::uint8_t*& data) {
  const std::size_t number = static_cast<std::size_t>(data[0]) << 8 | data[1];
  data += 2;
  return 1 + number % most;
}

bnas::Cut cut(const std::uint8_t*& data) {
  const std::size_t whole = side(data), first = side(data) - 1, count = side(data);
  const std::size_t begin = std::min(first, whole - 1);
  return {whole, begin, std::min(count, whole - begin)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t numbers = 17;
  if (size <= numbers) return 0;
  const std::uint8_t* const end = data + size;
  const std::size_t height = side(data), width = side(data), channels = *data++ % 2 == 0 ? 1 : 3;
  const bnas::Cut rows = cut(data), columns = cut(data);
  const auto given = static_cast<std::size_t>(end - data);
  bnas::Picture picture{height, width, channels, {}};
  picture.bytes.resize(height * width * channels);
  for (std::size_t i = 0; i < picture.bytes.size(); ++i) picture.bytes[i] = data[i % given];
  const bnas::Picture small = bnas::resample(picture, rows, columns);
  if (small.height != rows.count || small.width != columns.count) std::abort();
  if (small.bytes.size() != rows.count * columns.count * channels) std::abort();
  // What is made of bytes lies between the least and the greatest of them.
  const auto [least, greatest] = std::minmax_element(picture.bytes.begin(), picture.bytes.end());
  for (const std::uint8_t byte : small.bytes) {
    if (byte < *least || byte > *greatest) std::abort();
  }
  return 0;
}
