// Portable C++, eight pixels in one 64-bit register; not meant to be fast, but correct everywhere.
#include <math.h>

#include <cstring>

#include "core/kernels.h"

namespace bnas {
namespace {

constexpr std::size_t byte_lanes = 8;
constexpr std::size_t float_lanes = 4;
constexpr std::size_t binary_vectors = 1;
constexpr std::size_t counted_outputs = 8;
constexpr std::size_t float_vectors = 1;
constexpr std::size_t float_outputs = 4;

using Bytes = std::uint64_t;
struct Words {
  std::uint16_t lane[4];
};
struct Floats {
  float lane[4];
};

constexpr std::uint64_t each_byte = 0x0101010101010101u;

Bytes zero_bytes() { return 0; }
Bytes load_bytes(const std::uint8_t* p) {
  Bytes x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
void store_bytes(std::uint8_t* p, Bytes x) { std::memcpy(p, &x, sizeof x); }
Bytes expand_mask(std::uint64_t mask) {
  Bytes bytes = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint8_t byte = (mask >> i & 1) ? 0xff : 0;
    std::memcpy(reinterpret_cast<char*>(&bytes) + i, &byte, 1);
  }
  return bytes;
}
Bytes load_bytes_masked(const std::uint8_t* p, std::uint64_t mask) {
  return load_bytes(p) & expand_mask(mask);
}
Bytes broadcast_bytes(std::uint32_t four) { return four * 0x100000001u; }
Bytes xor_bytes(Bytes a, Bytes b) { return a ^ b; }
Bytes add_bytes(Bytes a, Bytes b) { return a + b; }  // sums stay below 256: no carry leaves a byte
Bytes popcount_bytes(Bytes x) {
  x -= x >> 1 & each_byte * 0x55;
  x = (x & each_byte * 0x33) + (x >> 2 & each_byte * 0x33);
  return (x + (x >> 4)) & each_byte * 0x0f;
}
struct ByteLanes {
  std::uint8_t lane[8];
};
ByteLanes lanes_of_bytes(Bytes x) {
  ByteLanes lanes;
  std::memcpy(&lanes, &x, sizeof x);
  return lanes;
}
Bytes bytes_of_lanes(ByteLanes lanes) {
  Bytes x;
  std::memcpy(&x, &lanes, sizeof x);
  return x;
}
Bytes sub_bytes_saturated(Bytes a, Bytes b) {
  ByteLanes x = lanes_of_bytes(a);
  const ByteLanes y = lanes_of_bytes(b);
  for (std::size_t i = 0; i < 8; ++i) {
    x.lane[i] = static_cast<std::uint8_t>(x.lane[i] > y.lane[i] ? x.lane[i] - y.lane[i] : 0);
  }
  return bytes_of_lanes(x);
}
Bytes mark_less(Bytes acc, Bytes a, Bytes b, std::uint32_t bit) {
  ByteLanes x = lanes_of_bytes(a);
  const ByteLanes y = lanes_of_bytes(b);
  for (std::size_t i = 0; i < 8; ++i) x.lane[i] = x.lane[i] < y.lane[i] ? 0xff : 0;
  return acc | (bytes_of_lanes(x) & broadcast_bytes(bit));
}
Bytes opaque(Bytes x) {
  asm volatile("" : "+r"(x));
  return x;
}

Words pick_words(Bytes x, std::size_t first) {
  std::uint8_t bytes[8];
  std::memcpy(bytes, &x, sizeof bytes);
  return {{bytes[first], bytes[first + 2], bytes[first + 4], bytes[first + 6]}};
}
Words even_bytes(Bytes x) { return pick_words(x, 0); }
Words odd_bytes(Bytes x) { return pick_words(x, 1); }
Words load_words(const std::int16_t* p) {
  Words x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
void store_words(std::int16_t* p, Words x) { std::memcpy(p, &x, sizeof x); }
Words add_words(Words a, Words b) {
  for (std::size_t i = 0; i < 4; ++i) a.lane[i] = static_cast<std::uint16_t>(a.lane[i] + b.lane[i]);
  return a;
}
Words sub_words(Words a, Words b) {
  for (std::size_t i = 0; i < 4; ++i) a.lane[i] = static_cast<std::uint16_t>(a.lane[i] - b.lane[i]);
  return a;
}
void store_interleaved(std::int16_t* p, Words even, Words odd) {
  for (std::size_t i = 0; i < 4; ++i) {
    p[2 * i] = static_cast<std::int16_t>(even.lane[i]);
    p[2 * i + 1] = static_cast<std::int16_t>(odd.lane[i]);
  }
}
Bytes mark_greater(Bytes acc, Words even, Words odd, std::uint32_t limit, std::uint32_t bit) {
  const auto s = static_cast<std::int16_t>(limit & 0xffff);
  std::int16_t words[8];
  store_interleaved(words, even, odd);
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < 8; ++i) mask |= static_cast<std::uint64_t>(words[i] > s) << i;
  return acc | (expand_mask(mask) & broadcast_bytes(bit));
}

Floats load_floats(const float* p) { return {{p[0], p[1], p[2], p[3]}}; }
Floats select_floats(std::uint64_t mask, Floats x, Floats other) {
  for (std::size_t i = 0; i < 4; ++i) other.lane[i] = (mask >> i & 1) ? x.lane[i] : other.lane[i];
  return other;
}
Floats load_floats_or(const float* p, std::uint64_t mask, Floats other) {
  return select_floats(mask, load_floats(p), other);
}
void store_floats_some(float* p, Floats x, std::size_t count) {
  std::memcpy(p, &x, count * sizeof *p);
}
Floats even_floats(const float* p) { return {{p[0], p[2], p[4], p[6]}}; }
void store_floats(float* p, Floats x) { std::memcpy(p, &x, sizeof x); }
Floats broadcast_float(float x) { return {{x, x, x, x}}; }
Floats add_floats(Floats a, Floats b) {
  for (std::size_t i = 0; i < 4; ++i) a.lane[i] += b.lane[i];
  return a;
}
Floats mul_floats(Floats a, Floats b) {
  for (std::size_t i = 0; i < 4; ++i) a.lane[i] *= b.lane[i];
  return a;
}
Floats fma_floats(Floats a, Floats b, Floats c) {
  for (std::size_t i = 0; i < 4; ++i) c.lane[i] = fmaf(a.lane[i], b.lane[i], c.lane[i]);
  return c;
}
Floats div_floats(Floats a, Floats b) {
  for (std::size_t i = 0; i < 4; ++i) a.lane[i] /= b.lane[i];
  return a;
}
Floats max_floats(Floats a, Floats b) {
  for (std::size_t i = 0; i < 4; ++i) a.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i];
  return a;
}
Floats words_to_floats(const std::int16_t* p) {
  return {{static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2]),
           static_cast<float>(p[3])}};
}
Floats bytes_to_floats(const std::uint8_t* p) {
  return {{static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2]),
           static_cast<float>(p[3])}};
}
Bytes order_marks(Bytes acc) { return acc; }
Bytes mark_not_less(Bytes acc, const float* x, float threshold, std::uint32_t bit) {
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < 8; ++i) mask |= static_cast<std::uint64_t>(x[i] >= threshold) << i;
  return acc | (expand_mask(mask) & broadcast_bytes(bit));
}

#include "generic/popcount-inl.h"

#include "generic/table-inl.h"

}  // namespace

extern const Kernels scalar_kernels;
const Kernels scalar_kernels = make_table("scalar");

}  // namespace bnas
