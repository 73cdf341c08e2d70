// From dot products with outputs in the lanes to bits or floats, for convolutions that are computed
// so: a few neighbouring pixels at a time, and a block of outputs.
//
// Dots layout: [pixel][output of the block].

// The outputs of a block that exist, and the first of up to eight pixels.
struct OutputTile {
  std::size_t first_pixel;
  std::size_t first_output, outputs;
};

// Eight pixels of 64 marks each into eight planes of eight pixels.
void transpose_marks(std::uint64_t (&marks)[8]) {
  const __m512i pairs =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
  alignas(64) std::uint16_t order[32];
  for (std::uint16_t i = 0; i < 32; ++i) order[i] = static_cast<std::uint16_t>(i % 4 * 8 + i / 4);
  const __m512i x = _mm512_shuffle_epi8(_mm512_load_si512(marks), pairs);
  _mm512_store_si512(marks, _mm512_permutexvar_epi16(_mm512_load_si512(order), x));
}

template <std::size_t pixels, std::size_t vectors>
void threshold_outputs(const Stage& stage, const std::int16_t* limits, const Frame& frame,
                       const OutputTile& tile, const std::int16_t* dots) {
  for (std::size_t v = 0; v < vectors; ++v) {
    const std::size_t first = tile.first_output + v * byte_lanes;
    const std::size_t count = smaller(byte_lanes, tile.outputs - v * byte_lanes);
    const Words low = load_words(limits + first);
    const Words high = load_words(limits + first + half_lanes);
    alignas(64) std::uint64_t marks[8] = {};
    for (std::size_t i = 0; i < pixels; ++i) {
      const std::int16_t* dot = dots + (i * vectors + v) * byte_lanes;
      // Not as numbers of 64 bits that are shifted: GCC 12 at -Og stores four bytes of a mask and
      // reads eight of them back (docs/kernels.md).
      const __mmask32 first_half = _mm512_cmpgt_epi16_mask(load_words(dot), low);
      const __mmask32 second = _mm512_cmpgt_epi16_mask(load_words(dot + half_lanes), high);
      marks[i] = _mm512_kunpackd(second, first_half) & ~std::uint64_t{0} >> (byte_lanes - count);
    }
    transpose_marks(marks);
    for (std::size_t j = 0; j * bits_per_plane < count; ++j) {
      const std::size_t plane = first / bits_per_plane + j;
      const std::uint64_t bits = marks[j] ^ stage.inverted[plane] * 0x0101010101010101u;
      // Behind the last pixel there is room for eight.
      std::memcpy(byte_plane(frame, stage.output, plane) + tile.first_pixel, &bits, sizeof bits);
    }
  }
}

// Dots of up to eight pixels and 32 outputs, `stride` apart, to [output][eight pixels].
template <std::size_t pixels>
void transpose_dots(const std::int16_t* dots, std::size_t stride, std::int16_t* out) {
  __m512i x[8], pairs[8], fours[8];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i)
    x[i] = i < pixels ? load_words(dots + i * stride) : _mm512_setzero_si512();
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    pairs[2 * i] = _mm512_unpacklo_epi16(x[2 * i], x[2 * i + 1]);
    pairs[2 * i + 1] = _mm512_unpackhi_epi16(x[2 * i], x[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t from = i / 2 * 4 + i % 2;
    fours[2 * i] = _mm512_unpacklo_epi32(pairs[from], pairs[from + 2]);
    fours[2 * i + 1] = _mm512_unpackhi_epi32(pairs[from], pairs[from + 2]);
  }
  // Each lane of 128 bits is an output now: vector j has outputs j, j + 8, j + 16 and j + 24.
#pragma GCC unroll 4
  for (std::size_t j = 0; j < 4; ++j) {
    store_words(out + 64 * j, _mm512_unpacklo_epi64(fours[j], fours[j + 4]));
    store_words(out + 64 * j + 32, _mm512_unpackhi_epi64(fours[j], fours[j + 4]));
  }
}

// Where transpose_dots leaves an output.
constexpr std::size_t transposed_at(std::size_t output) {
  return (output % 8 * 4 + output / 8) * 8;
}

template <bool accumulate>
void store_pixels(float* out, __m256 x, std::size_t pixels) {
  if (pixels == 8) {
    if (accumulate) x = _mm256_add_ps(_mm256_loadu_ps(out), x);
    _mm256_storeu_ps(out, x);
    return;
  }
  const auto mask = static_cast<__mmask8>((1u << pixels) - 1);
  if (accumulate) x = _mm256_add_ps(_mm256_maskz_loadu_ps(mask, out), x);
  _mm256_mask_storeu_ps(out, mask, x);
}

template <std::size_t pixels, bool relu, bool shift, bool accumulate>
void scale_transposed(const Stage& stage, const std::int16_t* dots, std::size_t first,
                      std::size_t count, float* out, std::size_t stride) {
  for (std::size_t o = 0; o < count; ++o, out += stride) {
    const __m128i eight = _mm_load_si128(reinterpret_cast<const __m128i*>(dots + transposed_at(o)));
    __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(eight)),
                             _mm256_set1_ps(stage.scale[first + o]));
    if (shift) x = _mm256_add_ps(x, _mm256_set1_ps(stage.shift[first + o]));
    if (relu) x = _mm256_max_ps(x, _mm256_setzero_ps());
    store_pixels<accumulate>(out, x, pixels);
  }
}

template <std::size_t pixels, bool relu, bool shift>
void scale_transposed(const Stage& stage, const std::int16_t* dots, std::size_t first,
                      std::size_t count, float* out, std::size_t stride) {
  if (stage.accumulate) {
    scale_transposed<pixels, relu, shift, true>(stage, dots, first, count, out, stride);
  } else {
    scale_transposed<pixels, relu, shift, false>(stage, dots, first, count, out, stride);
  }
}

template <std::size_t pixels, std::size_t vectors>
void scale_outputs(const Stage& stage, const Frame& frame, const OutputTile& tile,
                   const std::int16_t* dots) {
  const std::size_t stride = planes_of(frame, stage.output).stride;
  float* out = float_plane(frame, stage.output, stage.at + tile.first_output) + tile.first_pixel;
  for (std::size_t o = 0; o < tile.outputs; o += half_lanes, out += half_lanes * stride) {
    alignas(64) std::int16_t some[8 * half_lanes];
    transpose_dots<pixels>(dots + o, vectors * byte_lanes, some);
    const std::size_t first = tile.first_output + o;
    const std::size_t count = smaller(half_lanes, tile.outputs - o);
    if (stage.shift != nullptr) {
      if (stage.relu) {
        scale_transposed<pixels, true, true>(stage, some, first, count, out, stride);
      } else {
        scale_transposed<pixels, false, true>(stage, some, first, count, out, stride);
      }
    } else if (stage.relu) {
      scale_transposed<pixels, true, false>(stage, some, first, count, out, stride);
    } else {
      scale_transposed<pixels, false, false>(stage, some, first, count, out, stride);
    }
  }
}

// What every stage makes of the dots. `limits`: [stage][`padded` outputs].
template <std::size_t pixels, std::size_t vectors>
void finish_outputs(const Stage* stages, std::size_t count, const std::int16_t* limits,
                    std::size_t padded, const Frame& frame, const OutputTile& tile,
                    const std::int16_t* dots) {
  for (std::size_t i = 0; i < count; ++i) {
    const Stage& stage = stages[i];
    if (stage.kind == Stage::Kind::threshold) {
      threshold_outputs<pixels, vectors>(stage, limits + i * padded, frame, tile, dots);
    } else {
      scale_outputs<pixels, vectors>(stage, frame, tile, dots);
    }
  }
}
