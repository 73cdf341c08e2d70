// Compares fused multiply-adds that are made of doubles with the C library's, or, for WebAssembly,
// whose C library is not exact, the vectors with the scalar ones; and both with answers known
// beforehand, which are all there is on Windows, where the C library may not be exact either. Exits
// with 1 where bits differ.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

namespace bnas {
namespace {

#if defined(__wasm_simd128__)
using Floats = v128_t;
#include "isa/wasm_fma-inl.h"

float tested(float a, float b, float c) {
  const v128_t x = wasm_f32x4_make(1.0f, a, 2.0f, a), y = wasm_f32x4_make(3.0f, b, 4.0f, b);
  const v128_t sum = fma_floats(x, y, wasm_f32x4_make(5.0f, c, 6.0f, c));
  const float low = wasm_f32x4_extract_lane(sum, 1), high = wasm_f32x4_extract_lane(sum, 3);
  return std::memcmp(&low, &high, sizeof low) == 0 ? low : std::nanf("");
}
constexpr unsigned sums = 300000;
float right(float a, float b, float c) { return exact_fma(a, b, c); }
#else
#include "generic/exact_fma-inl.h"

float tested(float a, float b, float c) { return exact_fma(a, b, c); }
#if defined(_WIN32)
constexpr unsigned sums = 0;
#else
constexpr unsigned sums = 300000;
#endif
float right(float a, float b, float c) { return std::fma(a, b, c); }
#endif

bool same(float x, float y) {
  return (std::isnan(x) && std::isnan(y)) || std::memcmp(&x, &y, sizeof x) == 0;
}

int differs(float a, float b, float c, float want) {
  const float got = tested(a, b, c);
  if (same(got, want)) return 0;
  std::printf("%a * %a + %a: expected %a, got %a\n", static_cast<double>(a), static_cast<double>(b),
              static_cast<double>(c), static_cast<double>(want), static_cast<double>(got));
  return 1;
}

// Sums close to the middle between two floats, which as doubles are the middle; and special ones.
int known() {
  int wrong = differs(0x1.000002p-12f, 0x1.fffffcp-13f, 0x1.000002p0f, 0x1.000002p0f);
  wrong += differs(-0x1.000002p-12f, 0x1.fffffcp-13f, -0x1.000002p0f, -0x1.000002p0f);
  wrong += differs(-0x1.000002p-13f, 0x1.fffffcp-13f, 0x1.fffffep-1f, 0x1.fffffep-1f);
  wrong += differs(0x1.000002p-75f, 0x1.fffffcp-76f, 0x1.00001p-129f, 0x1.00001p-129f);
  wrong += differs(-0x1.000002p-75f, 0x1.fffffcp-76f, 0x1.00003p-129f, 0x1.00003p-129f);
  wrong += differs(0x1.fffffep127f, 0x1.fffffep127f, -INFINITY, -INFINITY);
  wrong += differs(0x1.fffffep127f, 2.0f, -0x1.fffffep127f, 0x1.fffffep127f);
  wrong += differs(-0x1.bffffcp-63f, 0x1.c00004p-83f, 0x1.fffffcp-127f, 0x1.ffff9cp-127f);
  wrong += differs(0x1.7ffffep-63f, -0x1.800002p-85f, 0x1.fffffcp-127f, 0x1.ffffecp-127f);
  return wrong + differs(0.0f, -1.0f, 0.0f, 0.0f);
}

using Random = std::mt19937;

// Any bits: NaN, infinities and subnormals among them.
float any_float(Random& random) {
  const std::uint32_t bits = static_cast<std::uint32_t>(random());
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// Few digits, or nearly few, so that sums often lie in the middle of two floats.
float plain_float(Random& random, int exponent) {
  const int digits =
      0x800000 + static_cast<int>(random() % 5) - 2 + (static_cast<int>(random() % 4) << 21);
  const float x = std::ldexp(static_cast<float>(digits), exponent - 23);
  return random() % 2 == 0 ? x : -x;
}

int random_ones(unsigned count) {
  int wrong = 0;
  Random random(1);
  for (unsigned i = 0; i < count; ++i) {
    const float a = any_float(random), b = any_float(random), c = any_float(random);
    wrong += differs(a, b, c, right(a, b, c));
    const int size = static_cast<int>(random() % 3) == 0 ? -126 : -10;
    const int shift = static_cast<int>(random() % 60) - 50;
    const float x = plain_float(random, size / 2), y = plain_float(random, size / 2 + shift);
    const float z = plain_float(random, size + static_cast<int>(random() % 4));
    wrong += differs(x, y, z, right(x, y, z));
  }
  return wrong;
}

}  // namespace
}  // namespace bnas

int main() {
  const int wrong = bnas::known() + bnas::random_ones(bnas::sums);
  std::printf("%d sums differ\n", wrong);
  return wrong == 0 ? 0 : 1;
}
