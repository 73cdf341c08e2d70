// AVX2 with AVX-VNNI, which adds four products of bytes in one instruction, on processors without
// AVX-512.
#include <immintrin.h>

#include <cstring>

#include "core/kernels.h"

namespace bnas {
namespace {

#include "isa/avx2-inl.h"

Sums dot_quads(Sums sums, Quads x, QuadWeights w) { return _mm256_dpbusd_avx_epi32(sums, x, w); }

#include "generic/table-inl.h"

}  // namespace

extern const Kernels avx_vnni_kernels;
const Kernels avx_vnni_kernels = make_table("avx_vnni");

}  // namespace bnas
