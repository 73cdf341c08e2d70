// a b + c rounded once, for WebAssembly, which has no such instruction; included inside a
// namespace. In doubles the product is exact, and the sum nearly always has the float that the
// exact sum has: what is left to fma_again are sums halfway between two floats, and those that
// become subnormal floats, which have fewer bits.

#include "generic/exact_fma-inl.h"

v128_t low_doubles(Floats x) { return wasm_f64x2_promote_low_f32x4(x); }
v128_t high_doubles(Floats x) { return low_doubles(wasm_i32x4_shuffle(x, x, 2, 3, 2, 3)); }

// Whether one of four doubles in two vectors must not simply be rounded again.
bool rounds_twice(v128_t low, v128_t high) {
  const v128_t lower = wasm_i32x4_shuffle(low, high, 0, 2, 4, 6);
  const v128_t upper = wasm_i32x4_shuffle(low, high, 1, 3, 5, 7);
  // Of the 29 bits that a float has not, the first alone is set.
  const v128_t halfway = wasm_i32x4_eq(wasm_i32x4_shl(lower, 3), wasm_i32x4_const_splat(INT32_MIN));
  // Less than 2^-126 but not zero, which is exact: without the sign, and so that signed numbers
  // compare as unsigned ones do, one less than zero being the largest.
  constexpr std::uint32_t least = 0x38100000u << 1, begin = 0x80000000u - 1;
  const v128_t magnitude = wasm_i32x4_add(wasm_i32x4_shl(upper, 1), wasm_u32x4_const_splat(begin));
  const v128_t small = wasm_i32x4_lt(magnitude, wasm_u32x4_const_splat(begin + least));
  return wasm_v128_any_true(wasm_v128_or(halfway, small));
}

[[gnu::noinline]] Floats fma_again(Floats a, Floats b, Floats c) {
  float x[4], y[4], z[4];
  wasm_v128_store(x, a);
  wasm_v128_store(y, b);
  wasm_v128_store(z, c);
  for (int i = 0; i < 4; ++i) z[i] = exact_fma(x[i], y[i], z[i]);
  return wasm_v128_load(z);
}

Floats fma_floats(Floats a, Floats b, Floats c) {
  const v128_t low = wasm_f64x2_add(wasm_f64x2_mul(low_doubles(a), low_doubles(b)), low_doubles(c));
  const v128_t high =
      wasm_f64x2_add(wasm_f64x2_mul(high_doubles(a), high_doubles(b)), high_doubles(c));
  if (rounds_twice(low, high)) return fma_again(a, b, c);
  return wasm_i64x2_shuffle(wasm_f32x4_demote_f64x2_zero(low), wasm_f32x4_demote_f64x2_zero(high),
                            0, 2);
}
