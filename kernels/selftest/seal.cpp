#include "selftest/seal.h"

#include <algorithm>
#include <string>

#include "reader/sha256.h"

namespace bnas {

std::size_t header_end(const std::vector<std::uint8_t>& blob) {
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | blob[i];
  return 8 + static_cast<std::size_t>(std::min<std::uint64_t>(length, blob.size() - 8));
}

void seal(std::vector<std::uint8_t>& blob) {
  const std::size_t end = header_end(blob);
  const std::string header(blob.begin() + 8, blob.begin() + static_cast<std::ptrdiff_t>(end));
  const std::string open = "\"bnas.program\":\"", sum = "\"bnas.sha256\":\"";
  const std::size_t begin = header.find(open), at = header.find(sum);
  if (begin == std::string::npos || at == std::string::npos || at + sum.size() + 64 > header.size())
    return;
  std::string program;
  for (std::size_t i = begin + open.size(); i < header.size() && header[i] != '"'; ++i) {
    if (header[i] == '\\') ++i;
    if (i < header.size()) program += header[i];
  }
  Sha256 digest;
  digest.update(program.data(), program.size());
  digest.update(blob.data() + end, blob.size() - end);
  const std::string hex = digest.hex();
  std::copy(hex.begin(), hex.end(),
            blob.begin() + static_cast<std::ptrdiff_t>(8 + at + sum.size()));
}

}  // namespace bnas
