// AVX-512 without a popcount of bytes: two table look-ups, one a nibble.
#include <immintrin.h>

#include <cstring>

#include "core/kernels.h"

namespace bnas {
namespace {

using Bytes = __m512i;

Bytes popcount_bytes(Bytes x) {
  const __m512i counts =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m512i nibble = _mm512_set1_epi8(0x0f);
  const __m512i low = _mm512_shuffle_epi8(counts, _mm512_and_si512(x, nibble));
  const __m512i high =
      _mm512_shuffle_epi8(counts, _mm512_and_si512(_mm512_srli_epi16(x, 4), nibble));
  return _mm512_add_epi8(low, high);
}

#include "isa/avx512-inl.h"

#include "generic/table-inl.h"

}  // namespace

extern const Kernels avx512bw_kernels;
const Kernels avx512bw_kernels = make_table("avx512bw");

}  // namespace bnas
