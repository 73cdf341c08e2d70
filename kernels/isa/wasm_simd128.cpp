// WebAssembly with vectors of 128 bits, 16 pixels a register.
#include <wasm_simd128.h>

#include <cstring>

#include "core/kernels.h"

namespace bnas {
namespace {

// What runs this makes machine code of 16 registers (x86) or 32 (Arm).
constexpr std::size_t byte_lanes = 16;
constexpr std::size_t float_lanes = 4;
constexpr std::size_t binary_vectors = 2;
constexpr std::size_t counted_outputs = 4;
constexpr std::size_t float_vectors = 2;
constexpr std::size_t float_outputs = 4;
constexpr std::size_t quad_vectors = 2;
constexpr std::size_t quad_outputs = 4;
constexpr std::size_t quad_rows = 1;

using Bytes = v128_t;
using Words = v128_t;
using Floats = v128_t;
using Sums = v128_t;
// Four quads, their bytes 0 and 2, and 1 and 3, as 16-bit numbers.
struct Quads {
  v128_t even, odd;
};
using QuadWeights = Quads;

Bytes zero_bytes() { return wasm_i8x16_const_splat(0); }
Bytes load_bytes(const std::uint8_t* p) { return wasm_v128_load(p); }
void store_bytes(std::uint8_t* p, Bytes x) { wasm_v128_store(p, x); }
Bytes expand_mask(std::uint64_t mask) {
  const v128_t both = wasm_i16x8_splat(static_cast<std::int16_t>(mask & 0xffff));
  const v128_t bytes =
      wasm_i8x16_shuffle(both, both, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const v128_t bit = wasm_u8x16_const(1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128);
  return wasm_i8x16_eq(wasm_v128_and(bytes, bit), bit);
}
Bytes load_bytes_masked(const std::uint8_t* p, std::uint64_t mask) {
  return wasm_v128_and(load_bytes(p), expand_mask(mask));
}
void store_even_bytes(std::uint8_t* out, const std::uint8_t* in) {
  const v128_t even = wasm_i8x16_shuffle(load_bytes(in), load_bytes(in + 16), 0, 2, 4, 6, 8, 10, 12,
                                         14, 16, 18, 20, 22, 24, 26, 28, 30);
  store_bytes(out, even);
}
Bytes broadcast_bytes(std::uint32_t four) { return wasm_u32x4_splat(four); }
Bytes xor_bytes(Bytes a, Bytes b) { return wasm_v128_xor(a, b); }
Bytes add_bytes(Bytes a, Bytes b) { return wasm_i8x16_add(a, b); }
Bytes min_bytes(Bytes a, Bytes b) { return wasm_u8x16_min(a, b); }
Bytes sub_bytes_saturated(Bytes a, Bytes b) { return wasm_u8x16_sub_sat(a, b); }
Bytes mark_less(Bytes acc, Bytes a, Bytes b, std::uint32_t bit) {
  return wasm_v128_or(acc, wasm_v128_andnot(broadcast_bytes(bit), wasm_u8x16_ge(a, b)));
}
Bytes opaque(Bytes x) {
  asm volatile("" : "+r"(x));
  return x;
}

Words even_bytes(Bytes x) { return wasm_v128_and(x, wasm_i16x8_const_splat(0x00ff)); }
Words odd_bytes(Bytes x) { return wasm_u16x8_shr(x, 8); }
Words load_words(const std::int16_t* p) { return wasm_v128_load(p); }
void store_words(std::int16_t* p, Words x) { wasm_v128_store(p, x); }
Words add_words(Words a, Words b) { return wasm_i16x8_add(a, b); }
Words sub_words(Words a, Words b) { return wasm_i16x8_sub(a, b); }
void store_interleaved(std::int16_t* p, Words even, Words odd) {
  store_words(p, wasm_i16x8_shuffle(even, odd, 0, 8, 1, 9, 2, 10, 3, 11));
  store_words(p + 8, wasm_i16x8_shuffle(even, odd, 4, 12, 5, 13, 6, 14, 7, 15));
}
Bytes mark_greater(Bytes acc, Words even, Words odd, std::uint32_t limit, std::uint32_t bit) {
  const v128_t s = broadcast_bytes(limit);
  const v128_t low = broadcast_bytes(bit & 0x00ff00ffu), high = broadcast_bytes(bit & 0xff00ff00u);
  return wasm_v128_or(wasm_v128_or(acc, wasm_v128_and(wasm_i16x8_gt(even, s), low)),
                      wasm_v128_and(wasm_i16x8_gt(odd, s), high));
}

Floats load_floats(const float* p) { return wasm_v128_load(p); }
v128_t expand_to_floats(std::uint64_t mask) {
  const v128_t bit = wasm_i32x4_const(1, 2, 4, 8);
  return wasm_i32x4_eq(wasm_v128_and(wasm_u32x4_splat(static_cast<std::uint32_t>(mask)), bit), bit);
}
Floats select_floats(std::uint64_t mask, Floats x, Floats other) {
  return wasm_v128_bitselect(x, other, expand_to_floats(mask));
}
Floats load_floats_or(const float* p, std::uint64_t mask, Floats other) {
  return select_floats(mask, load_floats(p), other);
}
void store_floats(float* p, Floats x) { wasm_v128_store(p, x); }
void store_floats_some(float* p, Floats x, std::size_t count) {
  if (count == 4) return store_floats(p, x);
  float row[4];
  store_floats(row, x);
  for (std::size_t i = 0; i < count; ++i) p[i] = row[i];
}
Floats even_of(Floats a, Floats b) { return wasm_i32x4_shuffle(a, b, 0, 2, 4, 6); }
Floats odd_of(Floats a, Floats b) { return wasm_i32x4_shuffle(a, b, 1, 3, 5, 7); }
Floats shift_in(Floats before, Floats x) { return wasm_i32x4_shuffle(before, x, 3, 4, 5, 6); }
Floats even_floats(const float* p) { return even_of(load_floats(p), load_floats(p + 4)); }
Floats load_even_floats_or(const float* p, std::uint64_t mask, Floats other) {
  return select_floats(mask, even_floats(p), other);
}
Floats broadcast_float(float x) { return wasm_f32x4_splat(x); }
Floats add_floats(Floats a, Floats b) { return wasm_f32x4_add(a, b); }
Floats mul_floats(Floats a, Floats b) { return wasm_f32x4_mul(a, b); }
Floats div_floats(Floats a, Floats b) { return wasm_f32x4_div(a, b); }
// "Pseudo" maximum and minimum give their first operand where one is NaN, or both are zeros.
Floats max_floats(Floats a, Floats b) { return wasm_f32x4_pmax(b, a); }
Floats min_floats(Floats a, Floats b) { return wasm_f32x4_pmin(b, a); }
Floats words_to_floats(const std::int16_t* p) {
  return wasm_f32x4_convert_i32x4(wasm_i32x4_load16x4(p));
}
Floats bytes_to_floats(const std::uint8_t* p) {
  const v128_t words = wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(p));
  return wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(words));
}
Bytes order_marks(Bytes acc) { return acc; }
v128_t not_less(const float* x, v128_t threshold) {
  return wasm_i16x8_narrow_i32x4(wasm_f32x4_ge(load_floats(x), threshold),
                                 wasm_f32x4_ge(load_floats(x + 4), threshold));
}
Bytes mark_not_less(Bytes acc, const float* x, float threshold, std::uint32_t bit) {
  const v128_t t = broadcast_float(threshold);
  const v128_t marks = wasm_i8x16_narrow_i16x8(not_less(x, t), not_less(x + 8, t));
  return wasm_v128_or(acc, wasm_v128_and(marks, broadcast_bytes(bit)));
}

#include "isa/wasm_fma-inl.h"

// 2^23 has units in the last place: the sum's lowest byte is x, rounded to even, and the two above
// are zero.
v128_t round_activations(Floats x) { return wasm_f32x4_add(x, wasm_f32x4_const_splat(8388608.0f)); }
void store_rounded(std::uint32_t* p, Floats a, Floats b, Floats c, Floats d) {
  const v128_t ab = wasm_v128_or(wasm_v128_and(round_activations(a), wasm_i32x4_const_splat(0xff)),
                                 wasm_i32x4_shl(round_activations(b), 8));
  const v128_t cd = wasm_v128_or(wasm_i32x4_shl(round_activations(c), 16),
                                 wasm_i32x4_shl(round_activations(d), 24));
  wasm_v128_store(p, wasm_v128_or(ab, cd));
}
void copy_quads(std::uint32_t* out, const std::uint32_t* in, std::uint64_t mask,
                std::uint32_t other) {
  const v128_t outside = wasm_u32x4_splat(other);
  wasm_v128_store(out, mask != 0 ? select_floats(mask, wasm_v128_load(in), outside) : outside);
}
Quads load_quads(const std::uint32_t* p) {
  const v128_t x = wasm_v128_load(p);
  return {even_bytes(x), odd_bytes(x)};
}
QuadWeights broadcast_weights(std::uint32_t w) {
  const v128_t x = wasm_u32x4_splat(w);
  return {wasm_i16x8_shr(wasm_i16x8_shl(x, 8), 8), wasm_i16x8_shr(x, 8)};
}
Sums dot_quads(Sums sums, Quads x, QuadWeights w) {
  return wasm_i32x4_add(sums, wasm_i32x4_add(wasm_i32x4_dot_i16x8(x.even, w.even),
                                             wasm_i32x4_dot_i16x8(x.odd, w.odd)));
}
Sums broadcast_sum(std::int32_t x) { return wasm_i32x4_splat(x); }
Sums load_sums(const void* p) { return wasm_v128_load(p); }
void store_sums(void* p, Sums x) { wasm_v128_store(p, x); }
Floats sums_to_floats(Sums x) { return wasm_f32x4_convert_i32x4(x); }

Bytes popcount_bytes(Bytes x) { return wasm_i8x16_popcnt(x); }
void replicate_bytes(const std::uint8_t* in, std::size_t count, std::uint32_t* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = in[i] * 0x01010101u;
}

#include "generic/popcount-inl.h"

#include "generic/table-inl.h"

}  // namespace

extern const Kernels wasm_simd128_kernels;
const Kernels wasm_simd128_kernels = make_table("wasm_simd128");

}  // namespace bnas
