// AVX-512 without a popcount of bytes: bits are counted by table look-ups.
#include <immintrin.h>

#include <cstring>

#include "core/kernels.h"

namespace bnas {
namespace {

using Bytes = __m512i;
using Quads = __m512i;
using QuadWeights = __m512i;
using Sums = __m512i;

constexpr std::size_t quad_outputs = 12;
constexpr std::size_t quad_rows = 1;

Quads load_quads(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
QuadWeights broadcast_weights(std::uint32_t w) { return _mm512_set1_epi32(static_cast<int>(w)); }
// The sums of two products fit 16 bits, since activations have 7.
Sums dot_quads(Sums sums, Quads x, QuadWeights w) {
  const __m512i pairs = _mm512_maddubs_epi16(x, w);
  return _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}

#include "isa/avx512-inl.h"

#include "isa/avx512_sums-inl.h"

Bytes low_nibbles(Bytes x) { return _mm512_and_si512(x, _mm512_set1_epi8(0x0f)); }
Bytes high_nibbles(Bytes x) { return low_nibbles(_mm512_srli_epi16(x, 4)); }
Bytes load_table(const std::uint8_t* p) {
  return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
}
Bytes look_up(Bytes table, Bytes index) { return _mm512_shuffle_epi8(table, index); }

#include "generic/lookup-inl.h"

#define BNAS_TURNED_CONV "isa/avx512_turned-inl.h"
#include "generic/table-inl.h"

}  // namespace

extern const Kernels avx512bw_kernels;
const Kernels avx512bw_kernels = make_table("avx512bw");

}  // namespace bnas
