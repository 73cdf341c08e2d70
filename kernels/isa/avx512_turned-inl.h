// Binary convolution with outputs in the lanes: a vector of weights meets one pixel's byte at a
// time. What has few pixels fills its lanes so. Counting is that of generic/binary_conv-inl.h, with
// weights and pixels in each other's place.

constexpr std::size_t turned_pixels = bits_per_plane;  // at a time
constexpr std::size_t block_lanes = binary_vectors * byte_lanes;

// A few pixels, and a block of outputs of which `outputs` exist.
struct TurnedTile {
  const std::uint32_t* pixels;  // [step][pixel] as load_weight wants them
  std::size_t first_pixel;
  std::size_t first_output, outputs;
};

std::size_t padded_outputs(const BinaryConv& conv) {
  return (conv.outputs + byte_lanes - 1) / byte_lanes * byte_lanes;
}

// Bytes of the pixels from `first` on, of a vector of gathered ones, each made into what
// load_weight wants.
std::uint32_t* encode_pixels(const BinaryConv& conv, const Frame& frame, Gathered in,
                             std::size_t first, std::size_t count) {
  std::uint8_t* bytes = frame.scratch + conv.steps * block_lanes;
  for (std::size_t s = 0; s < conv.steps; ++s)  // what is too much is written over
    std::memcpy(bytes + s * count, in.bytes + s * in.step + first, turned_pixels);
  const std::size_t size = conv.steps * turned_pixels + max_lanes;
  auto* out = reinterpret_cast<std::uint32_t*>(bytes + size / max_lanes * max_lanes);
  encode_weights(bytes, conv.steps * count, out);
  return out;
}

// Dot products in the order of the outputs: [pixel][output of the block].
template <std::size_t pixels, std::size_t vectors>
void finish_turned(const TurnedConv& step, const Counts<pixels, vectors>& counts, bool start,
                   const TurnedTile& tile, std::int16_t* dots) {
  const std::size_t padded = padded_outputs(step.conv);
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::size_t pattern = step.pattern[tile.first_pixel + i];
    const std::int16_t* base = step.conv.base + pattern * padded + tile.first_output;
    for (std::size_t v = 0; v < vectors; ++v, dots += byte_lanes) {
      const WordPair count = widen(counts.sum[i][v], start, dots);
      const WordPair dot = dot_product(count, load_pair(base + v * byte_lanes));
      store_interleaved(dots, dot.even, dot.odd);
    }
  }
}

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
void threshold_turned(const Stage& stage, const std::int16_t* limits, const Frame& frame,
                      const TurnedTile& tile, const std::int16_t* dots) {
  for (std::size_t v = 0; v < vectors; ++v) {
    const std::size_t first = tile.first_output + v * byte_lanes;
    const std::size_t count = smaller(byte_lanes, tile.outputs - v * byte_lanes);
    const Words low = load_words(limits + first);
    const Words high = load_words(limits + first + half_lanes);
    alignas(64) std::uint64_t marks[8] = {};
    for (std::size_t i = 0; i < pixels; ++i) {
      const std::int16_t* dot = dots + (i * vectors + v) * byte_lanes;
      const std::uint64_t first_half = _mm512_cmpgt_epi16_mask(load_words(dot), low);
      const std::uint64_t second = _mm512_cmpgt_epi16_mask(load_words(dot + half_lanes), high);
      marks[i] = (first_half | second << half_lanes) & ~std::uint64_t{0} >> (byte_lanes - count);
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

// Rows of 16 outputs of eight pixels into eight pixels of 16 outputs, two outputs a vector: those
// of the first half of a vector come from one lane of 128 bits, those of the other from the next.
void transpose_floats(const Floats (&x)[8], Floats (&out)[8]) {
  Floats pairs[8], fours[8];
  for (std::size_t i = 0; i < 4; ++i) {
    pairs[2 * i] = _mm512_unpacklo_ps(x[2 * i], x[2 * i + 1]);
    pairs[2 * i + 1] = _mm512_unpackhi_ps(x[2 * i], x[2 * i + 1]);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 2; ++j) {
      const __m512d a = _mm512_castps_pd(pairs[4 * i + j]),
                    b = _mm512_castps_pd(pairs[4 * i + 2 + j]);
      fours[4 * i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
      fours[4 * i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    }
  }
  const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
  const __m512i high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  for (std::size_t j = 0; j < 4; ++j) {
    const __m512d a = _mm512_castps_pd(fours[j]), b = _mm512_castps_pd(fours[4 + j]);
    out[2 * j] = _mm512_castpd_ps(_mm512_permutex2var_pd(a, low, b));
    out[2 * j + 1] = _mm512_castpd_ps(_mm512_permutex2var_pd(a, high, b));
  }
}

template <bool accumulate>
void store_pixels(float* out, __m256 x, __mmask8 pixels) {
  if (accumulate) x = _mm256_add_ps(_mm256_maskz_loadu_ps(pixels, out), x);
  _mm256_mask_storeu_ps(out, pixels, x);
}

// Eight pixels of up to 16 outputs, `stride` apart.
template <bool accumulate>
void store_transposed(const Floats (&x)[8], float* out, std::size_t stride, std::size_t outputs,
                      std::size_t pixels) {
  Floats transposed[8];
  transpose_floats(x, transposed);
  const auto mask = static_cast<__mmask8>((1u << pixels) - 1);
#pragma GCC unroll 4
  for (std::size_t j = 0; j < 4; ++j) {
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t first = 8 * half + j;
      const Floats two = transposed[2 * j + half];
      if (first < outputs)
        store_pixels<accumulate>(out + first * stride, _mm512_castps512_ps256(two), mask);
      if (first + 4 < outputs)
        store_pixels<accumulate>(out + (first + 4) * stride, _mm512_extractf32x8_ps(two, 1), mask);
    }
  }
}

template <std::size_t pixels, std::size_t vectors, bool accumulate>
void scale_turned(const Stage& stage, const Frame& frame, const TurnedTile& tile,
                  const std::int16_t* dots) {
  const std::size_t stride = planes_of(frame, stage.output).stride;
  float* out = float_plane(frame, stage.output, stage.at + tile.first_output) + tile.first_pixel;
  for (std::size_t o = 0; o < tile.outputs; o += float_lanes, out += float_lanes * stride) {
    const Floats scale = load_floats(stage.scale + tile.first_output + o);
    Floats x[8];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < 8; ++i) {
      x[i] = zero_floats();
      if (i < pixels)
        x[i] = mul_floats(words_to_floats(dots + i * vectors * byte_lanes + o), scale);
      if (stage.shift != nullptr)
        x[i] = add_floats(x[i], load_floats(stage.shift + tile.first_output + o));
      if (stage.relu) x[i] = relu_floats(x[i]);
    }
    store_transposed<accumulate>(x, out, stride, smaller(float_lanes, tile.outputs - o), pixels);
  }
}

template <std::size_t pixels, std::size_t vectors>
void turned_tile(const TurnedConv& step, const Frame& frame, const TurnedTile& tile) {
  const BinaryConv& conv = step.conv;
  alignas(64) std::int16_t dots[pixels * vectors * byte_lanes];
  const std::uint8_t* weights = conv.weights + tile.first_output * conv.steps;
  constexpr std::size_t width = vectors * byte_lanes;
  const std::size_t chunks = (conv.steps + steps_per_byte - 1) / steps_per_byte;
  Counts<pixels, vectors> counts{};
  for (std::size_t chunk = 0, done = 0; chunk < chunks; ++chunk) {
    if (chunk > 0) keep_sums(counts, chunk == 1, dots);
    const std::size_t end = conv.steps * (chunk + 1) / chunks;
    count_steps({weights + done * width, width}, tile.pixels + done * pixels, end - done, counts);
    done = end;
  }
  finish_turned(step, counts, chunks == 1, tile, dots);
  for (std::size_t i = 0; i < conv.stage_count; ++i) {
    const Stage& stage = conv.stages[i];
    if (stage.kind == Stage::Kind::threshold) {
      const std::int16_t* limits = step.limits + i * padded_outputs(conv);
      threshold_turned<pixels, vectors>(stage, limits, frame, tile, dots);
    } else if (stage.accumulate) {
      scale_turned<pixels, vectors, true>(stage, frame, tile, dots);
    } else {
      scale_turned<pixels, vectors, false>(stage, frame, tile, dots);
    }
  }
}

template <std::size_t pixels = turned_pixels>
void turned_some(const TurnedConv& step, const Frame& frame, const TurnedTile& tile,
                 std::size_t count) {
  if (count == pixels) {
    if (tile.outputs > byte_lanes) {
      turned_tile<pixels, binary_vectors>(step, frame, tile);
    } else {
      turned_tile<pixels, 1>(step, frame, tile);
    }
  } else if constexpr (pixels > 1) {
    turned_some<pixels - 1>(step, frame, tile, count);
  }
}

void turned_conv(const TurnedConv& step, const Frame& frame, Range range) {
  const BinaryConv& conv = step.conv;
  const Source<std::uint8_t> source{byte_plane(frame, conv.input, 0),
                                    planes_of(frame, conv.input).stride, conv.planes};
  const std::size_t blocks = (conv.outputs + block_lanes - 1) / block_lanes;
  for_each_strip(range, blocks, [&](std::size_t vector, Range some) {
    const std::size_t first = vector * byte_lanes;
    Gathered in{source.planes + first, source.stride};
    if (conv.taps.gather != Gather::direct) {
      in = {frame.scratch, byte_lanes};
      gather(conv.taps, source, vector, 1, frame.scratch, {conv.planes * in.step, in.step});
    }
    const std::size_t end = smaller(byte_lanes, step.pixels - first);
    for (std::size_t pixel = 0; pixel < end; pixel += turned_pixels) {
      const std::size_t count = smaller(turned_pixels, end - pixel);
      const std::uint32_t* pixels = encode_pixels(conv, frame, in, pixel, count);
      for (std::size_t block = some.begin; block < some.end; ++block) {
        const std::size_t o = block * block_lanes;
        turned_some(step, frame, {pixels, first + pixel, o, smaller(block_lanes, conv.outputs - o)},
                    count);
      }
    }
  });
}
