// AVX2 and FMA.
#include <immintrin.h>

#include <cstring>

#include "core/kernels.h"

namespace bnas {
namespace {

#include "isa/avx2-inl.h"

Sums dot_quads(Sums sums, Quads x, QuadWeights w) {  // sums of two products fit 16 bits
  const __m256i pairs = _mm256_maddubs_epi16(x, w);
  return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#include "generic/table-inl.h"

}  // namespace

extern const Kernels avx2_kernels;
const Kernels avx2_kernels = make_table("avx2");

}  // namespace bnas
