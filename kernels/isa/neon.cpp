// AArch64 NEON, 16 pixels a register.
#include <arm_neon.h>

#include <cstring>

#include "core/kernels.h"

namespace bnas {
namespace {

constexpr std::size_t byte_lanes = 16;
constexpr std::size_t float_lanes = 4;
constexpr std::size_t binary_vectors = 2;
constexpr std::size_t counted_outputs = 8;
constexpr std::size_t float_vectors = 3;
constexpr std::size_t float_outputs = 8;
constexpr std::size_t quad_vectors = 2;
constexpr std::size_t quad_outputs = 10;
constexpr std::size_t quad_rows = 1;

using Bytes = uint8x16_t;
using Words = uint16x8_t;
using Floats = float32x4_t;
using Quads = int8x16_t;
using QuadWeights = int8x16_t;
using Sums = int32x4_t;

Bytes zero_bytes() { return vdupq_n_u8(0); }
Bytes load_bytes(const std::uint8_t* p) { return vld1q_u8(p); }
void store_bytes(std::uint8_t* p, Bytes x) { vst1q_u8(p, x); }
Bytes expand_mask(std::uint64_t mask) {
  const uint8x16_t bytes = vcombine_u8(vdup_n_u8(static_cast<std::uint8_t>(mask & 0xff)),
                                       vdup_n_u8(static_cast<std::uint8_t>(mask >> 8 & 0xff)));
  return vtstq_u8(bytes, vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u)));
}
Bytes load_bytes_masked(const std::uint8_t* p, std::uint64_t mask) {
  return vandq_u8(vld1q_u8(p), expand_mask(mask));
}
void store_even_bytes(std::uint8_t* out, const std::uint8_t* in) {
  vst1q_u8(out, vuzp1q_u8(vld1q_u8(in), vld1q_u8(in + 16)));
}
Bytes broadcast_bytes(std::uint32_t four) { return vreinterpretq_u8_u32(vdupq_n_u32(four)); }
Bytes xor_bytes(Bytes a, Bytes b) { return veorq_u8(a, b); }
Bytes add_bytes(Bytes a, Bytes b) { return vaddq_u8(a, b); }
Bytes popcount_bytes(Bytes x) { return vcntq_u8(x); }
Bytes min_bytes(Bytes a, Bytes b) { return vminq_u8(a, b); }
Bytes sub_bytes_saturated(Bytes a, Bytes b) { return vqsubq_u8(a, b); }
Bytes mark_less(Bytes acc, Bytes a, Bytes b, std::uint32_t bit) {
  return vorrq_u8(acc, vandq_u8(vcltq_u8(a, b), broadcast_bytes(bit)));
}
Bytes opaque(Bytes x) {
  asm volatile("" : "+w"(x));
  return x;
}

Words even_bytes(Bytes x) { return vandq_u16(vreinterpretq_u16_u8(x), vdupq_n_u16(0x00ff)); }
Words odd_bytes(Bytes x) { return vshrq_n_u16(vreinterpretq_u16_u8(x), 8); }
Words load_words(const std::int16_t* p) { return vreinterpretq_u16_s16(vld1q_s16(p)); }
void store_words(std::int16_t* p, Words x) { vst1q_s16(p, vreinterpretq_s16_u16(x)); }
Words add_words(Words a, Words b) { return vaddq_u16(a, b); }
Words sub_words(Words a, Words b) { return vsubq_u16(a, b); }
void store_interleaved(std::int16_t* p, Words even, Words odd) {
  store_words(p, vzip1q_u16(even, odd));
  store_words(p + 8, vzip2q_u16(even, odd));
}
Bytes mark_greater(Bytes acc, Words even, Words odd, std::uint32_t limit, std::uint32_t bit) {
  const int16x8_t s = vreinterpretq_s16_u32(vdupq_n_u32(limit));
  const uint16x8_t low = vcgtq_s16(vreinterpretq_s16_u16(even), s);
  const uint16x8_t high = vcgtq_s16(vreinterpretq_s16_u16(odd), s);
  const uint16x8_t marks = vbslq_u16(vdupq_n_u16(0x00ff), low, high);
  return vorrq_u8(acc, vandq_u8(vreinterpretq_u8_u16(marks), broadcast_bytes(bit)));
}

Floats load_floats(const float* p) { return vld1q_f32(p); }
Floats select_floats(std::uint64_t mask, Floats x, Floats other) {
  const uint32_t bit[4] = {1, 2, 4, 8};
  const uint32x4_t lanes = vtstq_u32(vdupq_n_u32(static_cast<std::uint32_t>(mask)), vld1q_u32(bit));
  return vbslq_f32(lanes, x, other);
}
Floats load_floats_or(const float* p, std::uint64_t mask, Floats other) {
  return select_floats(mask, vld1q_f32(p), other);
}
void store_floats_some(float* p, Floats x, std::size_t count) {
  float row[4];
  vst1q_f32(row, x);
  std::memcpy(p, row, count * sizeof *p);
}
Floats even_of(Floats a, Floats b) { return vuzp1q_f32(a, b); }
Floats odd_of(Floats a, Floats b) { return vuzp2q_f32(a, b); }
Floats shift_in(Floats before, Floats x) { return vextq_f32(before, x, 3); }
Floats even_floats(const float* p) { return even_of(vld1q_f32(p), vld1q_f32(p + 4)); }
Floats load_even_floats_or(const float* p, std::uint64_t mask, Floats other) {
  return select_floats(mask, even_floats(p), other);
}
void store_floats(float* p, Floats x) { vst1q_f32(p, x); }
Floats broadcast_float(float x) { return vdupq_n_f32(x); }
Floats add_floats(Floats a, Floats b) { return vaddq_f32(a, b); }
Floats mul_floats(Floats a, Floats b) { return vmulq_f32(a, b); }
Floats fma_floats(Floats a, Floats b, Floats c) { return vfmaq_f32(c, a, b); }
Floats div_floats(Floats a, Floats b) { return vdivq_f32(a, b); }
Floats max_floats(Floats a, Floats b) {  // not vmaxq: b where one is NaN
  return vbslq_f32(vcgtq_f32(a, b), a, b);
}
Floats min_floats(Floats a, Floats b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
Floats words_to_floats(const std::int16_t* p) { return vcvtq_f32_s32(vmovl_s16(vld1_s16(p))); }
Floats bytes_to_floats(const std::uint8_t* p) {
  std::uint32_t four;
  std::memcpy(&four, p, sizeof four);
  return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four)))));
}
Bytes order_marks(Bytes acc) { return acc; }
uint16x8_t not_less(const float* x, float32x4_t threshold) {
  return vcombine_u16(vmovn_u32(vcgeq_f32(vld1q_f32(x), threshold)),
                      vmovn_u32(vcgeq_f32(vld1q_f32(x + 4), threshold)));
}
Bytes mark_not_less(Bytes acc, const float* x, float threshold, std::uint32_t bit) {
  const float32x4_t t = vdupq_n_f32(threshold);
  const uint8x16_t marks = vcombine_u8(vmovn_u16(not_less(x, t)), vmovn_u16(not_less(x + 8, t)));
  return vorrq_u8(acc, vandq_u8(marks, broadcast_bytes(bit)));
}

void store_rounded(std::uint32_t* p, Floats a, Floats b, Floats c, Floats d) {
  const uint32x4_t ab = vorrq_u32(vcvtnq_u32_f32(a), vshlq_n_u32(vcvtnq_u32_f32(b), 8));
  const uint32x4_t cd = vorrq_u32(vcvtnq_u32_f32(c), vshlq_n_u32(vcvtnq_u32_f32(d), 8));
  vst1q_u32(p, vorrq_u32(ab, vshlq_n_u32(cd, 16)));
}
void copy_quads(std::uint32_t* out, const std::uint32_t* in, std::uint64_t mask,
                std::uint32_t other) {
  const uint32_t bit[4] = {1, 2, 4, 8};
  const uint32x4_t lanes = vtstq_u32(vdupq_n_u32(static_cast<std::uint32_t>(mask)), vld1q_u32(bit));
  const uint32x4_t outside = vdupq_n_u32(other);
  vst1q_u32(out, mask != 0 ? vbslq_u32(lanes, vld1q_u32(in), outside) : outside);
}
Quads load_quads(const std::uint32_t* p) { return vreinterpretq_s8_u32(vld1q_u32(p)); }
QuadWeights broadcast_weights(std::uint32_t w) { return vreinterpretq_s8_u32(vdupq_n_u32(w)); }
// The base instruction set has no dot product; activations of 7 bits are the same signed, and the
// sums of two products fit 16 bits.
Sums dot_quads(Sums sums, Quads x, QuadWeights w) {
  const int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(w));
  return vpadalq_s16(sums, vpaddq_s16(low, vmull_high_s8(x, w)));
}
Sums broadcast_sum(std::int32_t x) { return vdupq_n_s32(x); }
Sums load_sums(const void* p) { return vld1q_s32(static_cast<const std::int32_t*>(p)); }
void store_sums(void* p, Sums x) { vst1q_s32(static_cast<std::int32_t*>(p), x); }
Floats sums_to_floats(Sums x) { return vcvtq_f32_s32(x); }

void replicate_bytes(const std::uint8_t* in, std::size_t count, std::uint32_t* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = in[i] * 0x01010101u;
}

#include "generic/popcount-inl.h"

#include "generic/table-inl.h"

}  // namespace

extern const Kernels neon_kernels;
const Kernels neon_kernels = make_table("neon");

}  // namespace bnas
