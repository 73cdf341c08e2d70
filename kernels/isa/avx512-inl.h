// AVX-512 F, BW, DQ and VL primitives, 64 pixels a register; all but the byte popcount and the dot
// product of quads, which the including file defines first.

constexpr std::size_t byte_lanes = 64;
constexpr std::size_t float_lanes = 16;
constexpr std::size_t binary_vectors = 2;
constexpr std::size_t counted_outputs = 8;
constexpr std::size_t float_vectors = 4;
constexpr std::size_t float_outputs = 6;
constexpr std::size_t quad_vectors = 2;

using Words = __m512i;
using Floats = __m512;

Bytes zero_bytes() { return _mm512_setzero_si512(); }
Bytes load_bytes(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
void store_bytes(std::uint8_t* p, Bytes x) { _mm512_storeu_si512(p, x); }
Bytes load_bytes_masked(const std::uint8_t* p, std::uint64_t mask) {
  return _mm512_maskz_loadu_epi8(mask, p);
}
void store_even_bytes(std::uint8_t* out, const std::uint8_t* in) {
  const __m128i low = _mm_set1_epi16(0x00ff);
  const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
  const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + 16));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                   _mm_packus_epi16(_mm_and_si128(a, low), _mm_and_si128(b, low)));
}
Bytes broadcast_bytes(std::uint32_t four) { return _mm512_set1_epi32(static_cast<int>(four)); }
Bytes xor_bytes(Bytes a, Bytes b) { return _mm512_xor_si512(a, b); }
Bytes add_bytes(Bytes a, Bytes b) { return _mm512_add_epi8(a, b); }
Bytes min_bytes(Bytes a, Bytes b) { return _mm512_min_epu8(a, b); }
Bytes sub_bytes_saturated(Bytes a, Bytes b) { return _mm512_subs_epu8(a, b); }
Bytes mark_less(Bytes acc, Bytes a, Bytes b, std::uint32_t bit) {
  return _mm512_mask_add_epi8(acc, _mm512_cmplt_epu8_mask(a, b), acc,
                              broadcast_bytes(bit));  // the bit is clear: no carry
}
// What generic/pool_bytes-inl.h would make of other primitives.
#define BNAS_POOL_BYTES
Bytes max_bytes(Bytes a, Bytes b) { return _mm512_max_epu8(a, b); }
Bytes even_lanes(Bytes a, Bytes b) {
  const __m512i low = _mm512_set1_epi16(0x00ff);
  const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  return _mm512_permutexvar_epi64(
      order, _mm512_packus_epi16(_mm512_and_si512(a, low), _mm512_and_si512(b, low)));
}
Bytes opaque(Bytes x) {
  asm volatile("" : "+v"(x));
  return x;
}

Words even_bytes(Bytes x) { return _mm512_and_si512(x, _mm512_set1_epi16(0x00ff)); }
Words odd_bytes(Bytes x) { return _mm512_srli_epi16(x, 8); }
Words load_words(const std::int16_t* p) { return _mm512_loadu_si512(p); }
void store_words(std::int16_t* p, Words x) { _mm512_storeu_si512(p, x); }
Words add_words(Words a, Words b) { return _mm512_add_epi16(a, b); }
Words sub_words(Words a, Words b) { return _mm512_sub_epi16(a, b); }
void store_interleaved(std::int16_t* p, Words even, Words odd) {
  const __m512i low = _mm512_unpacklo_epi16(even, odd);   // pixels 0-7, 16-23, 32-39, 48-55
  const __m512i high = _mm512_unpackhi_epi16(even, odd);  // pixels 8-15, 24-31, ...
  const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  _mm512_storeu_si512(p, _mm512_permutex2var_epi64(low, first, high));
  _mm512_storeu_si512(p + 32, _mm512_permutex2var_epi64(low, second, high));
}
Bytes mark_greater(Bytes acc, Words even, Words odd, std::uint32_t limit, std::uint32_t bit) {
  const __m512i s = _mm512_set1_epi32(static_cast<int>(limit));
  const __m512i low = _mm512_set1_epi16(static_cast<short>(bit & 0xff));
  const __m512i high = _mm512_set1_epi16(static_cast<short>(bit & 0xff00));
  acc = _mm512_mask_add_epi16(acc, _mm512_cmpgt_epi16_mask(even, s), acc,
                              low);  // the bit is clear: no carry
  return _mm512_mask_add_epi16(acc, _mm512_cmpgt_epi16_mask(odd, s), acc, high);
}

// The upper half of the lanes added onto the lower, until one is left.
#define BNAS_ADD_HALVES
float add_all_halves(Floats x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
Floats load_floats(const float* p) { return _mm512_loadu_ps(p); }
Floats load_floats_or(const float* p, std::uint64_t mask, Floats other) {
  return _mm512_mask_loadu_ps(other, static_cast<__mmask16>(mask), p);
}
Floats select_floats(std::uint64_t mask, Floats x, Floats other) {
  return _mm512_mask_mov_ps(other, static_cast<__mmask16>(mask), x);
}
void store_floats_some(float* p, Floats x, std::size_t count) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1), x);
}
Floats even_of(Floats a, Floats b) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_ps(a, even, b);
}
Floats odd_of(Floats a, Floats b) {
  const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  return _mm512_permutex2var_ps(a, odd, b);
}
Floats shift_in(Floats before, Floats x) {
  return _mm512_castsi512_ps(
      _mm512_alignr_epi32(_mm512_castps_si512(x), _mm512_castps_si512(before), 15));
}
Floats even_floats(const float* p) { return even_of(_mm512_loadu_ps(p), _mm512_loadu_ps(p + 16)); }
Floats load_even_floats_or(const float* p, std::uint64_t mask, Floats other) {
  return select_floats(mask, even_floats(p), other);
}
void store_floats(float* p, Floats x) { _mm512_storeu_ps(p, x); }
Floats broadcast_float(float x) { return _mm512_set1_ps(x); }
Floats add_floats(Floats a, Floats b) { return _mm512_add_ps(a, b); }
Floats mul_floats(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
Floats fma_floats(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
Floats div_floats(Floats a, Floats b) { return _mm512_div_ps(a, b); }
Floats max_floats(Floats a, Floats b) { return _mm512_max_ps(a, b); }  // b where one is NaN
Floats min_floats(Floats a, Floats b) { return _mm512_min_ps(a, b); }  // b where one is NaN
Floats words_to_floats(const std::int16_t* p) {
  const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(words));
}
Floats bytes_to_floats(const std::uint8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}
// Byte j of double word i marks float 16 j + i, until order_marks puts them into their order.
Bytes mark_not_less(Bytes acc, const float* x, float threshold, std::uint32_t bit) {
  const __m512 t = _mm512_set1_ps(threshold);
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __mmask16 marks = _mm512_cmp_ps_mask(_mm512_loadu_ps(x + 16 * j), t, _CMP_GE_OQ);
    const __m512i bits = _mm512_set1_epi32(static_cast<int>((bit & 0xffu) << 8 * j));
    acc = _mm512_mask_or_epi32(acc, marks, acc, bits);
  }
  return acc;
}
Bytes order_marks(Bytes acc) {
  const __m512i bytes =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, _mm512_shuffle_epi8(acc, bytes));
}

void store_rounded(std::uint32_t* p, Floats a, Floats b, Floats c, Floats d) {
  const __m512i ab =
      _mm512_or_si512(_mm512_cvtps_epi32(a), _mm512_slli_epi32(_mm512_cvtps_epi32(b), 8));
  const __m512i cd =
      _mm512_or_si512(_mm512_cvtps_epi32(c), _mm512_slli_epi32(_mm512_cvtps_epi32(d), 8));
  _mm512_storeu_si512(p, _mm512_or_si512(ab, _mm512_slli_epi32(cd, 16)));
}
void copy_quads(std::uint32_t* out, const std::uint32_t* in, std::uint64_t mask,
                std::uint32_t other) {
  const __m512i x = _mm512_mask_loadu_epi32(_mm512_set1_epi32(static_cast<int>(other)),
                                            static_cast<__mmask16>(mask), in);
  _mm512_storeu_si512(out, x);
}
Sums broadcast_sum(std::int32_t x) { return _mm512_set1_epi32(x); }
Sums load_sums(const void* p) { return _mm512_loadu_si512(p); }
void store_sums(void* p, Sums x) { _mm512_storeu_si512(p, x); }
Floats sums_to_floats(Sums x) { return _mm512_cvtepi32_ps(x); }
