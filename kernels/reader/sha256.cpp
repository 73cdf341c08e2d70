#include "reader/sha256.h"

#include <algorithm>
#include <cstring>

namespace bnas {
namespace {

constexpr std::size_t block_bytes = 64, rounds = 64, length_bytes = 8;

// FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube roots of the primes.
constexpr std::uint32_t constants[rounds] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t rotate(std::uint32_t x, unsigned by) { return x >> by | x << (32 - by); }

void schedule(const std::uint8_t* bytes, std::uint32_t* w) {
  for (std::size_t t = 0; t < 16; ++t) {
    const std::uint8_t* b = bytes + 4 * t;
    w[t] = std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
  }
  for (std::size_t t = 16; t < rounds; ++t) {
    const std::uint32_t a = w[t - 15], b = w[t - 2];
    w[t] = (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10) + w[t - 7] +
           (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[t - 16];
  }
}

}  // namespace

void Sha256::block(const std::uint8_t* bytes) {
  std::uint32_t w[rounds];
  schedule(bytes, w);
  auto [a, b, c, d, e, f, g, h] = state_;
  for (std::size_t t = 0; t < rounds; ++t) {
    const std::uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                             ((e & f) ^ (~e & g)) + constants[t] + w[t];
    const std::uint32_t t2 =
        (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const std::uint32_t results[] = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < state_.size(); ++i) state_[i] += results[i];
}

void Sha256::update(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  while (size != 0) {
    const std::size_t filled = bytes_ % block_bytes;
    const std::size_t taken = std::min(size, block_bytes - filled);
    if (taken == block_bytes) {
      block(bytes);
    } else {
      std::memcpy(pending_.data() + filled, bytes, taken);
      if (filled + taken == block_bytes) block(pending_.data());
    }
    bytes_ += taken;
    bytes += taken;
    size -= taken;
  }
}

std::string Sha256::hex() {
  std::uint8_t length[length_bytes];
  for (std::size_t i = 0; i < length_bytes; ++i)
    length[i] = static_cast<std::uint8_t>(bytes_ * 8 >> (56 - 8 * i));
  constexpr std::uint8_t end = 0x80, zero = 0;
  update(&end, 1);
  while (bytes_ % block_bytes != block_bytes - length_bytes) update(&zero, 1);
  update(length, length_bytes);
  std::string text;
  for (const std::uint32_t word : state_) {
    for (unsigned shift = 32; shift != 0;) text += "0123456789abcdef"[word >> (shift -= 4) & 15];
  }
  return text;
}

}  // namespace bnas
