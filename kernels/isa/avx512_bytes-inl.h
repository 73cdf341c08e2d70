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
