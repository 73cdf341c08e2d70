// Binary convolution from pixel to pixel: the words of a pixel meet vectors of the weights of 16
// outputs, and the bits in which they differ are counted in lanes of 32 bits, which never overflow.

// Channels 32q.. of 64 pixels, one byte plane in each vector, to a word a pixel.
void pack_words(const Bytes (&planes)[4], std::uint32_t (&words)[64]) {
  const __m512i low01 = _mm512_unpacklo_epi8(planes[0], planes[1]);
  const __m512i low23 = _mm512_unpacklo_epi8(planes[2], planes[3]);
  const __m512i high01 = _mm512_unpackhi_epi8(planes[0], planes[1]);
  const __m512i high23 = _mm512_unpackhi_epi8(planes[2], planes[3]);
  // Lane i of 128 bits of vector j has pixels 16 i + 4 j and the three that follow.
  const __m512i x[4] = {_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
                        _mm512_unpacklo_epi16(high01, high23),
                        _mm512_unpackhi_epi16(high01, high23)};
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    auto* to = reinterpret_cast<__m128i*>(words + 4 * j);
    _mm_storeu_si128(to, _mm512_extracti32x4_epi32(x[j], 0));
    _mm_storeu_si128(to + 4, _mm512_extracti32x4_epi32(x[j], 1));
    _mm_storeu_si128(to + 8, _mm512_extracti32x4_epi32(x[j], 2));
    _mm_storeu_si128(to + 12, _mm512_extracti32x4_epi32(x[j], 3));
  }
}

std::uint32_t* words_of(const Frame& frame, ValueId id) {
  return reinterpret_cast<std::uint32_t*>(frame.arena + planes_of(frame, id).offset);
}

void pack_pixels(const PackPixels& step, const Frame& frame, Range range) {
  const Planes& in = planes_of(frame, step.input);
  std::uint32_t* out = words_of(frame, step.output);
  for (std::size_t vector = range.begin; vector < range.end; ++vector) {
    const std::size_t first = vector * byte_lanes;
    const std::size_t count = smaller(byte_lanes, pixels(in) - first);
    for (std::size_t q = 0; q < step.words; ++q) {
      Bytes planes[4];
      for (std::size_t j = 0; j < 4; ++j) {
        const std::size_t plane = 4 * q + j;
        planes[j] = plane < in.planes ? load_bytes(byte_plane(frame, step.input, plane) + first)
                                      : zero_bytes();
      }
      alignas(64) std::uint32_t words[64];
      pack_words(planes, words);
      std::uint32_t* to = out + first * step.words + q;
      for (std::size_t i = 0; i < count; ++i) to[i * step.words] = words[i];
    }
  }
}

// A block of outputs: `width` of them in whole vectors, from `first` on.
struct PixelBlock {
  std::size_t first, width;
  const std::uint32_t* weights;  // [tap][word][output]
};

// Counts of a tile, then its dot products: [place][output of the block].
template <std::size_t count, std::size_t vectors>
void count_pixels(const PixelConv& conv, const std::uint32_t* in, const PixelTile& tile,
                  const PixelBlock& block, std::int16_t* dots) {
  constexpr std::size_t width = vectors * word_lanes;
  const TapSet set = conv.sets[tile.set];
  __m512i sum[count][vectors];
  for (auto& row : sum) {
    for (__m512i& x : row) x = _mm512_setzero_si512();
  }
  for (std::size_t t = set.first; t < set.first + set.count; ++t) {
    const std::uint32_t* weights = block.weights + conv.tap[t] * conv.words * width;
    const std::uint32_t* x[count];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < count; ++i) x[i] = in + (tile.source[i] + conv.offset[t]);
    for (std::size_t q = 0; q < conv.words; ++q, weights += width) {
      __m512i w[vectors];
#pragma GCC unroll 8
      for (std::size_t v = 0; v < vectors; ++v) w[v] = _mm512_loadu_si512(weights + v * word_lanes);
#pragma GCC unroll 8
      for (std::size_t i = 0; i < count; ++i) {
        const __m512i pixel = _mm512_set1_epi32(static_cast<int>(x[i][q]));
#pragma GCC unroll 8
        for (std::size_t v = 0; v < vectors; ++v)
          sum[i][v] =
              _mm512_add_epi32(sum[i][v], _mm512_popcnt_epi32(_mm512_xor_si512(pixel, w[v])));
      }
    }
  }
  const std::int16_t* base = conv.base + tile.set * conv.padded + block.first;
#pragma GCC unroll 8
  for (std::size_t v = 0; v < vectors; ++v) {
    const __m512i all = _mm512_cvtepi16_epi32(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(base + v * word_lanes)));
#pragma GCC unroll 8
    for (std::size_t i = 0; i < count; ++i) {
      const __m512i dot = _mm512_sub_epi32(all, _mm512_slli_epi32(sum[i][v], 1));
      _mm256_storeu_si256(
          reinterpret_cast<__m256i*>(dots + tile.place[i] * pixel_block + v * word_lanes),
          _mm512_cvtepi32_epi16(dot));
    }
  }
}

template <std::size_t vectors, std::size_t count = pixel_tile>
void count_some(const PixelConv& conv, const std::uint32_t* in, const PixelTile& tile,
                const PixelBlock& block, std::int16_t* dots) {
  if (tile.count == count) {
    count_pixels<count, vectors>(conv, in, tile, block, dots);
  } else if constexpr (count > 1) {
    count_some<vectors, count - 1>(conv, in, tile, block, dots);
  }
}

template <std::size_t vectors = pixel_block / word_lanes>
void count_band(const PixelConv& conv, const std::uint32_t* in, std::size_t band,
                const PixelBlock& block, std::int16_t* dots) {
  if (block.width == vectors * word_lanes) {
    for (std::size_t t = conv.first[band]; t < conv.first[band + 1]; ++t)
      count_some<vectors>(conv, in, conv.tiles[t], block, dots);
  } else if constexpr (vectors > 1) {
    count_band<vectors - 1>(conv, in, band, block, dots);
  }
}

template <std::size_t count = bits_per_plane>
void finish_pixels(const PixelConv& conv, const Frame& frame, const OutputTile& tile,
                   std::size_t some, const std::int16_t* dots) {
  if (some == count) {
    finish_outputs<count, 1>(conv.stages, conv.stage_count, conv.limits, conv.padded + pixel_block,
                             frame, tile, dots);
  } else if constexpr (count > 1) {
    finish_pixels<count - 1>(conv, frame, tile, some, dots);
  }
}

void pixel_conv(const PixelConv& conv, const Frame& frame, Range range) {
  const std::uint32_t* in = words_of(frame, conv.input);
  alignas(64) std::int16_t dots[pixel_band * pixel_block];
  for_each_strip(range, pixel_blocks(conv.padded), [&](std::size_t band, Range some) {
    const std::size_t pixel = band * pixel_band;
    const std::size_t count = smaller(pixel_band, conv.pixels - pixel);
    for (std::size_t b = some.begin; b < some.end; ++b) {
      const std::size_t first = first_of_block(conv.padded, b);
      const PixelBlock block{first, first_of_block(conv.padded, b + 1) - first,
                             conv.weights + first * conv.taps * conv.words};
      count_band(conv, in, band, block, dots);
      const std::size_t outputs = smaller(block.width, conv.outputs - first);
      for (std::size_t i = 0; i < count; i += bits_per_plane)
        finish_pixels(conv, frame, {pixel + i, first, outputs}, smaller(bits_per_plane, count - i),
                      dots + i * pixel_block);
    }
  });
}
