// AVX-512 with BITALG, which counts the bits of bytes in one instruction, and with VNNI, which adds
// four products of bytes in one; every processor with the former has the latter.
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
Sums dot_quads(Sums sums, Quads x, QuadWeights w) { return _mm512_dpbusd_epi32(sums, x, w); }

#include "isa/avx512-inl.h"

#include "isa/avx512_sums-inl.h"

#include "isa/avx512_bytes-inl.h"

#include "generic/popcount-inl.h"

#define BNAS_TURNED_CONV "isa/avx512_turned-inl.h"
#define BNAS_PIXEL_CONV "isa/avx512_pixel_conv-inl.h"
#include "generic/table-inl.h"

}  // namespace

extern const Kernels avx512_bitalg_kernels;
const Kernels avx512_bitalg_kernels = make_table("avx512_bitalg");

}  // namespace bnas
