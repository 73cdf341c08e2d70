// SHA-256 (FIPS 180-4), for the checksum of a file; against accidents, so it need not be fast.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace bnas {

class Sha256 {
 public:
  void update(const void* data, std::size_t size);
  // The digest of all updates in lower-case hexadecimal; once.
  std::string hex();

 private:
  void block(const std::uint8_t* bytes);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> pending_{};
  std::uint64_t bytes_ = 0;
};

}  // namespace bnas
