// What AVX-512 with BITALG has for bytes.

Bytes popcount_bytes(Bytes x) { return _mm512_popcnt_epi8(x); }

// Reads and writes up to whole vectors.
void replicate_bytes(const std::uint8_t* in, std::size_t count, std::uint32_t* out) {
  const __m512i each_four_times = _mm512_set_epi64(
      0x0f0f0f0f0e0e0e0e, 0x0d0d0d0d0c0c0c0c, 0x0b0b0b0b0a0a0a0a, 0x0909090908080808,
      0x0707070706060606, 0x0505050504040404, 0x0303030302020202, 0x0101010100000000);
  for (std::size_t i = 0; i < count; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i));
    const __m512i x = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(bytes), each_four_times);
    _mm512_storeu_si512(out + i, x);
  }
}

// Counting in words: generic/word_pairs-inl.h.
#define BNAS_WORD_PAIRS

Words broadcast_words(std::uint32_t two) { return _mm512_set1_epi32(static_cast<int>(two)); }
Words add_word_differences(Words sum, Words x, Words w) {
  return _mm512_add_epi16(sum, _mm512_popcnt_epi16(_mm512_xor_si512(x, w)));
}
// Even and odd lanes of a and b, a in the lower byte of each word.
struct BytePair {
  Words even, odd;
};
BytePair pair_bytes(Bytes a, Bytes b) {
  const __m512i low = _mm512_set1_epi16(0x00ff);
  return {_mm512_ternarylogic_epi32(low, a, _mm512_slli_epi16(b, 8), 0xca),
          _mm512_ternarylogic_epi32(low, _mm512_srli_epi16(a, 8), b, 0xca)};
}
// Eight weight bytes of two steps, as broadcast_words takes them.
void store_weight_pairs(const std::uint8_t* first, const std::uint8_t* second, std::uint32_t* out) {
  const __m128i a = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(first));
  const __m128i b = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(second));
  const __m256i pairs = _mm256_cvtepu16_epi32(_mm_unpacklo_epi8(a, b));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                      _mm256_or_si256(pairs, _mm256_slli_epi32(pairs, 16)));
}
