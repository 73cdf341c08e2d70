// What AVX-512 has for signs of 8-bit sums: generic/quad_signs-inl.h.

#define BNAS_QUAD_SIGNS

// Sets `bit` in the lanes of marks whose sum is not less than the limit.
Sums mark_sums(Sums marks, Sums sum, std::int32_t limit, std::int32_t bit) {
  const __mmask16 marked = _mm512_cmp_epi32_mask(sum, _mm512_set1_epi32(limit), _MM_CMPINT_NLT);
  return _mm512_mask_or_epi32(marks, marked, marks, _mm512_set1_epi32(bit));
}
// The lowest byte of each lane.
void store_marks(std::uint8_t* p, Sums marks, std::uint8_t inverted) {
  const __m512i x = _mm512_xor_si512(marks, _mm512_set1_epi32(inverted));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(x));
}
