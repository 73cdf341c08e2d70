// Primitives of AVX2 and FMA, 32 pixels a register; all but the sum of four products of bytes
// (dot_quads), for which some processors have an instruction. Included inside a namespace.

constexpr std::size_t byte_lanes = 32;
constexpr std::size_t float_lanes = 8;
constexpr std::size_t binary_vectors = 2;
constexpr std::size_t counted_outputs =
    4;  // eight sums, two vectors of nibbles and two tables: sixteen registers
constexpr std::size_t float_vectors = 3;
constexpr std::size_t float_outputs = 4;
constexpr std::size_t quad_vectors = 2;
constexpr std::size_t quad_outputs = 5;
constexpr std::size_t quad_rows = 1;

using Bytes = __m256i;
using Words = __m256i;
using Floats = __m256;
using Quads = __m256i;
using QuadWeights = __m256i;
using Sums = __m256i;

__m256i load_any(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
void store_any(void* p, __m256i x) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }

Bytes zero_bytes() { return _mm256_setzero_si256(); }
Bytes load_bytes(const std::uint8_t* p) { return load_any(p); }
void store_bytes(std::uint8_t* p, Bytes x) { store_any(p, x); }
Bytes expand_mask(std::uint64_t mask) {
  const __m256i four = _mm256_set1_epi32(static_cast<int>(static_cast<std::uint32_t>(mask)));
  const __m256i index =
      _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201u));
  return _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_shuffle_epi8(four, index), bit), bit);
}
Bytes load_bytes_masked(const std::uint8_t* p, std::uint64_t mask) {
  return _mm256_and_si256(load_any(p), expand_mask(mask));
}
void store_even_bytes(std::uint8_t* out, const std::uint8_t* in) {
  const __m128i low = _mm_set1_epi16(0x00ff);
  const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
  const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + 16));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                   _mm_packus_epi16(_mm_and_si128(a, low), _mm_and_si128(b, low)));
}
Bytes broadcast_bytes(std::uint32_t four) { return _mm256_set1_epi32(static_cast<int>(four)); }
Bytes xor_bytes(Bytes a, Bytes b) { return _mm256_xor_si256(a, b); }
Bytes add_bytes(Bytes a, Bytes b) { return _mm256_add_epi8(a, b); }
Bytes low_nibbles(Bytes x) { return _mm256_and_si256(x, _mm256_set1_epi8(0x0f)); }
Bytes high_nibbles(Bytes x) { return low_nibbles(_mm256_srli_epi16(x, 4)); }
Bytes load_table(const std::uint8_t* p) {
  return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
}
Bytes look_up(Bytes table, Bytes index) { return _mm256_shuffle_epi8(table, index); }
Bytes min_bytes(Bytes a, Bytes b) { return _mm256_min_epu8(a, b); }
Bytes sub_bytes_saturated(Bytes a, Bytes b) { return _mm256_subs_epu8(a, b); }
Bytes mark_less(Bytes acc, Bytes a, Bytes b, std::uint32_t bit) {
  const __m256i not_less = _mm256_cmpeq_epi8(_mm256_max_epu8(a, b), a);
  return _mm256_or_si256(acc, _mm256_andnot_si256(not_less, broadcast_bytes(bit)));
}
Bytes opaque(Bytes x) {
  asm volatile("" : "+x"(x));
  return x;
}

Words even_bytes(Bytes x) { return _mm256_and_si256(x, _mm256_set1_epi16(0x00ff)); }
Words odd_bytes(Bytes x) { return _mm256_srli_epi16(x, 8); }
Words load_words(const std::int16_t* p) { return load_any(p); }
void store_words(std::int16_t* p, Words x) { store_any(p, x); }
Words add_words(Words a, Words b) { return _mm256_add_epi16(a, b); }
Words sub_words(Words a, Words b) { return _mm256_sub_epi16(a, b); }
void store_interleaved(std::int16_t* p, Words even, Words odd) {
  const __m256i low = _mm256_unpacklo_epi16(even, odd);   // pixels 0-7, 16-23
  const __m256i high = _mm256_unpackhi_epi16(even, odd);  // pixels 8-15, 24-31
  store_any(p, _mm256_permute2x128_si256(low, high, 0x20));
  store_any(p + 16, _mm256_permute2x128_si256(low, high, 0x31));
}
Bytes mark_greater(Bytes acc, Words even, Words odd, std::uint32_t limit, std::uint32_t bit) {
  const __m256i s = _mm256_set1_epi32(static_cast<int>(limit));
  const __m256i marks = _mm256_blendv_epi8(_mm256_cmpgt_epi16(odd, s), _mm256_cmpgt_epi16(even, s),
                                           _mm256_set1_epi16(0x00ff));
  return _mm256_or_si256(acc, _mm256_and_si256(marks, broadcast_bytes(bit)));
}

Floats load_floats(const float* p) { return _mm256_loadu_ps(p); }
__m256i expand_to_floats(std::uint64_t mask) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i some = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(mask)), bit);
  return _mm256_cmpeq_epi32(some, bit);
}
Floats select_floats(std::uint64_t mask, Floats x, Floats other) {
  return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(expand_to_floats(mask)));
}
Floats load_floats_or(const float* p, std::uint64_t mask, Floats other) {
  return select_floats(mask, load_floats(p), other);
}
void store_floats_some(float* p, Floats x, std::size_t count) {
  _mm256_maskstore_ps(p, expand_to_floats((std::uint64_t{1} << count) - 1), x);
}
Floats order_pairs(__m256 pairs) {  // a b a b, each two lanes, into a a b b
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(pairs), 0xd8));
}
Floats even_of(Floats a, Floats b) { return order_pairs(_mm256_shuffle_ps(a, b, 0x88)); }
Floats odd_of(Floats a, Floats b) { return order_pairs(_mm256_shuffle_ps(a, b, 0xdd)); }
Floats shift_in(Floats before, Floats x) {
  const __m256i halves = _mm256_castps_si256(_mm256_permute2f128_ps(before, x, 0x21));
  return _mm256_castsi256_ps(_mm256_alignr_epi8(_mm256_castps_si256(x), halves, 12));
}
Floats even_floats(const float* p) { return even_of(load_floats(p), load_floats(p + 8)); }
Floats load_even_floats_or(const float* p, std::uint64_t mask, Floats other) {
  return select_floats(mask, even_floats(p), other);
}
void store_floats(float* p, Floats x) { _mm256_storeu_ps(p, x); }
Floats broadcast_float(float x) { return _mm256_set1_ps(x); }
Floats add_floats(Floats a, Floats b) { return _mm256_add_ps(a, b); }
Floats mul_floats(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
Floats fma_floats(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
Floats div_floats(Floats a, Floats b) { return _mm256_div_ps(a, b); }
Floats max_floats(Floats a, Floats b) { return _mm256_max_ps(a, b); }  // b where one is NaN
Floats min_floats(Floats a, Floats b) { return _mm256_min_ps(a, b); }  // b where one is NaN
Floats words_to_floats(const std::int16_t* p) {
  const __m128i words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(words));
}
Floats bytes_to_floats(const std::uint8_t* p) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
}
// Byte j of double word i marks float 8 j + i, until order_marks puts them into their order.
Bytes mark_not_less(Bytes acc, const float* x, float threshold, std::uint32_t bit) {
  const __m256 t = _mm256_set1_ps(threshold);
  for (int j = 0; j < 4; ++j) {
    const __m256 marks = _mm256_cmp_ps(_mm256_loadu_ps(x + 8 * j), t, _CMP_GE_OQ);
    const __m256i bits = _mm256_set1_epi32(static_cast<int>((bit & 0xffu) << 8 * j));
    acc = _mm256_or_si256(acc, _mm256_and_si256(_mm256_castps_si256(marks), bits));
  }
  return acc;
}
Bytes order_marks(Bytes acc) {
  const __m256i bytes = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(acc, bytes),
                                     _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

#include "generic/lookup-inl.h"

void store_rounded(std::uint32_t* p, Floats a, Floats b, Floats c, Floats d) {
  const __m256i ab =
      _mm256_or_si256(_mm256_cvtps_epi32(a), _mm256_slli_epi32(_mm256_cvtps_epi32(b), 8));
  const __m256i cd =
      _mm256_or_si256(_mm256_cvtps_epi32(c), _mm256_slli_epi32(_mm256_cvtps_epi32(d), 8));
  store_any(p, _mm256_or_si256(ab, _mm256_slli_epi32(cd, 16)));
}
void copy_quads(std::uint32_t* out, const std::uint32_t* in, std::uint64_t mask,
                std::uint32_t other) {
  const __m256i outside = _mm256_set1_epi32(static_cast<int>(other));
  store_any(
      out, mask != 0 ? _mm256_blendv_epi8(outside, load_any(in), expand_to_floats(mask)) : outside);
}
Quads load_quads(const std::uint32_t* p) { return load_any(p); }
QuadWeights broadcast_weights(std::uint32_t w) { return _mm256_set1_epi32(static_cast<int>(w)); }
Sums broadcast_sum(std::int32_t x) { return _mm256_set1_epi32(x); }
Sums load_sums(const void* p) { return load_any(p); }
void store_sums(void* p, Sums x) { store_any(p, x); }
Floats sums_to_floats(Sums x) { return _mm256_cvtepi32_ps(x); }
