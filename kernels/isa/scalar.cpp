// Portable C++, eight pixels in one 64-bit register; correct everywhere rather than fast.
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
constexpr std::size_t quad_vectors = 2;
constexpr std::size_t quad_outputs = 3;
constexpr std::size_t quad_rows = 1;

using Bytes = std::uint64_t;
struct Words {
  std::uint16_t lane[4];
};
struct Floats {
  float lane[4];
};

// Vectors of the compiler, which become whatever the machine's base instruction set has.
using Shorts = std::int16_t __attribute__((vector_size(16)));
using UnsignedShorts = std::uint16_t __attribute__((vector_size(16)));
using Ints = std::int32_t __attribute__((vector_size(16)));
using UnsignedInts = std::uint32_t __attribute__((vector_size(16)));
// Four quads, their bytes 0 and 2, and 1 and 3, as 16-bit numbers.
struct Quads {
  Shorts even, odd;
};
using QuadWeights = Quads;
using Sums = Ints;

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
// Where a thread reads a plane, another may be writing what lies beside it: under a mask, lanes are
// read one by one.
Bytes load_bytes_masked(const std::uint8_t* p, std::uint64_t mask) {
  if ((mask & 0xff) == 0xff) return load_bytes(p);
  std::uint8_t lane[8];
  for (std::size_t i = 0; i < 8; ++i) lane[i] = (mask >> i & 1) ? p[i] : std::uint8_t{0};
  return load_bytes(lane);
}
void store_even_bytes(std::uint8_t* out, const std::uint8_t* in) {
  for (std::size_t i = 0; i < 16; ++i) out[i] = in[2 * i];
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
// No byte of the difference borrows from the next.
Bytes min_bytes(Bytes a, Bytes b) { return a - sub_bytes_saturated(a, b); }
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
  for (std::size_t i = 0; i < 4; ++i) other.lane[i] = (mask >> i & 1) ? p[i] : other.lane[i];
  return other;
}
void store_floats_some(float* p, Floats x, std::size_t count) {
  std::memcpy(p, &x, count * sizeof *p);
}
Floats even_of(Floats a, Floats b) { return {{a.lane[0], a.lane[2], b.lane[0], b.lane[2]}}; }
Floats odd_of(Floats a, Floats b) { return {{a.lane[1], a.lane[3], b.lane[1], b.lane[3]}}; }
Floats shift_in(Floats before, Floats x) {
  return {{before.lane[3], x.lane[0], x.lane[1], x.lane[2]}};
}
Floats even_floats(const float* p) { return {{p[0], p[2], p[4], p[6]}}; }
Floats load_even_floats_or(const float* p, std::uint64_t mask, Floats other) {
  for (std::size_t i = 0; i < 4; ++i) other.lane[i] = (mask >> i & 1) ? p[2 * i] : other.lane[i];
  return other;
}
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
#if defined(__wasm__) || defined(_WIN32)
// WebAssembly has no rounding mode, which the C library's fmaf sets; MinGW's rounds some subnormal
// results twice.
#include "generic/exact_fma-inl.h"
#else
float exact_fma(float a, float b, float c) { return fmaf(a, b, c); }
#endif
Floats fma_floats(Floats a, Floats b, Floats c) {
  for (std::size_t i = 0; i < 4; ++i) c.lane[i] = exact_fma(a.lane[i], b.lane[i], c.lane[i]);
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
Floats min_floats(Floats a, Floats b) {
  for (std::size_t i = 0; i < 4; ++i) a.lane[i] = a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i];
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

// 2^23 has units in the last place: the sum's low bits are x, rounded to even.
std::uint32_t round_activation(float x) {
  const float shifted = x + 8388608.0f;
  std::uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  return bits & 0xff;
}
void store_rounded(std::uint32_t* p, Floats a, Floats b, Floats c, Floats d) {
  for (std::size_t i = 0; i < 4; ++i) {
    p[i] = round_activation(a.lane[i]) | round_activation(b.lane[i]) << 8 |
           round_activation(c.lane[i]) << 16 | round_activation(d.lane[i]) << 24;
  }
}
void copy_quads(std::uint32_t* out, const std::uint32_t* in, std::uint64_t mask,
                std::uint32_t other) {
  for (std::size_t i = 0; i < float_lanes; ++i) out[i] = (mask >> i & 1) ? in[i] : other;
}
Quads load_quads(const std::uint32_t* p) {
  UnsignedShorts x;
  std::memcpy(&x, p, sizeof x);
  return {reinterpret_cast<Shorts>(x & 0xff), reinterpret_cast<Shorts>(x >> 8)};
}
QuadWeights broadcast_weights(std::uint32_t w) {
  const UnsignedInts quads = {w, w, w, w};
  const auto high = reinterpret_cast<Shorts>(reinterpret_cast<UnsignedShorts>(quads) << 8);
  return {high >> 8, reinterpret_cast<Shorts>(quads) >> 8};
}
Sums dot_quads(Sums sums, Quads x, QuadWeights w) {  // sums of two products fit 16 bits
  const auto pairs = reinterpret_cast<UnsignedInts>(x.even * w.even + x.odd * w.odd);
  return sums + (reinterpret_cast<Ints>(pairs << 16) >> 16) + (reinterpret_cast<Ints>(pairs) >> 16);
}
Sums broadcast_sum(std::int32_t x) { return Sums{x, x, x, x}; }
Sums load_sums(const void* p) {
  Sums x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
void store_sums(void* p, Sums x) { std::memcpy(p, &x, sizeof x); }
Floats sums_to_floats(Sums x) {
  return {{static_cast<float>(x[0]), static_cast<float>(x[1]), static_cast<float>(x[2]),
           static_cast<float>(x[3])}};
}

void replicate_bytes(const std::uint8_t* in, std::size_t count, std::uint32_t* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = in[i] * 0x01010101u;
}

#include "generic/popcount-inl.h"

#include "generic/table-inl.h"

}  // namespace

extern const Kernels scalar_kernels;
const Kernels scalar_kernels = make_table("scalar");

}  // namespace bnas
