// AVX-512 with BITALG, and AMX for 8-bit convolutions.
#include <immintrin.h>

#include <cstring>

#include "core/kernels.h"

namespace bnas {
namespace {

using Bytes = __m512i;
using Quads = __m512i;
using QuadWeights = __m512i;
using Sums = __m512i;

constexpr std::size_t quad_outputs = 16;
constexpr std::size_t quad_rows = 16;

#include "isa/avx512-inl.h"

#include "isa/avx512_bytes-inl.h"

#include "generic/popcount-inl.h"

#define BNAS_QUANTIZED_TILE "isa/amx-inl.h"
#define BNAS_TURNED_CONV "isa/avx512_turned-inl.h"
#define BNAS_PIXEL_CONV "isa/avx512_pixel_conv-inl.h"
#include "generic/table-inl.h"

}  // namespace

extern const Kernels avx512_amx_kernels;
const Kernels avx512_amx_kernels = make_table("avx512_amx");

}  // namespace bnas
