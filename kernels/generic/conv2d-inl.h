// Float convolution: one chain of fused multiply-adds an output and pixel, in the order of
// docs/format.md.
//
// Lanes are output pixels. The gathered pixels of (c, ky, kx) = row k lie at [k][vector][lane].

// A part of the sum, rows [begin, end) of all, gathered at `in`; and where it goes.
struct Chunk {
  const float* in;
  std::size_t begin, end;
  std::size_t first_vector;
};

template <std::size_t outputs, std::size_t vectors>
void conv2d_tile(const Conv2d& conv, const Frame& frame, const Chunk& chunk,
                 std::size_t first_output) {
  const std::size_t rows = conv.channels * conv.taps.taps;
  const std::size_t stride = planes_of(frame, conv.output).stride;
  float* out = float_plane(frame, conv.output, first_output) + chunk.first_vector * float_lanes;
  Floats sum[outputs][vectors];
#pragma GCC unroll 8
  for (std::size_t o = 0; o < outputs; ++o) {
    const Floats bias = broadcast_float(conv.bias[first_output + o]);
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) {
      sum[o][v] = chunk.begin == 0 ? bias : load_floats(out + o * stride + v * float_lanes);
    }
  }
  const float* weights = conv.weights + first_output * rows + chunk.begin * outputs;
  const float* in = chunk.in;
  for (std::size_t k = chunk.begin; k < chunk.end; ++k) {
    Floats x[vectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) x[v] = load_floats(in + v * float_lanes);
#pragma GCC unroll 8
    for (std::size_t o = 0; o < outputs; ++o) {
      const Floats w = broadcast_float(weights[o]);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < vectors; ++v) sum[o][v] = fma_floats(w, x[v], sum[o][v]);
    }
    in += vectors * float_lanes;
    weights += outputs;
  }
  const bool relu = conv.relu && chunk.end == rows;
#pragma GCC unroll 8
  for (std::size_t o = 0; o < outputs; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) {
      store_floats(out + o * stride + v * float_lanes, relu ? relu_floats(sum[o][v]) : sum[o][v]);
    }
  }
}

template <std::size_t vectors, std::size_t outputs = float_outputs>
void conv2d_some(const Conv2d& conv, const Frame& frame, const Chunk& chunk,
                 std::size_t first_output, std::size_t count) {
  if (count == outputs) {
    conv2d_tile<outputs, vectors>(conv, frame, chunk, first_output);
  } else if constexpr (outputs > 1) {
    conv2d_some<vectors, outputs - 1>(conv, frame, chunk, first_output, count);
  }
}

template <std::size_t vectors>
void conv2d_section(const Conv2d& conv, const Frame& frame, std::size_t first, std::size_t section,
                    Range tiles) {
  auto* in = reinterpret_cast<float*>(frame.scratch);
  constexpr std::size_t row = vectors * float_lanes;
  const std::size_t taps = conv.taps.taps;
  const std::size_t stride = planes_of(frame, conv.input).stride;
  for (std::size_t c = 0; c < conv.channels; c += conv.chunk) {
    const std::size_t count = smaller(conv.chunk, conv.channels - c);
    const float* planes = float_plane(frame, conv.input, section * conv.channels + c);
    gather(conv.taps, Source<float>{planes, stride, count}, first, vectors, in, {row, taps * row});
    const Chunk chunk{in, c * taps, (c + count) * taps, first};
    for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
      const std::size_t done = tile * float_outputs;
      conv2d_some<vectors>(conv, frame, chunk, section * conv.sections.outputs + done,
                           smaller(float_outputs, conv.sections.outputs - done));
    }
  }
}

template <std::size_t vectors>
void conv2d_strip(const Conv2d& conv, const Frame& frame, std::size_t first, Range tiles) {
  for_each_section(conv.sections, float_outputs, tiles, [&](std::size_t section, Range some) {
    conv2d_section<vectors>(conv, frame, first, section, some);
  });
}

template <std::size_t vectors>
void conv2d_vectors(const Conv2d& conv, const Frame& frame, Range some, Range tiles) {
  if (some.end - some.begin == vectors) {
    conv2d_strip<vectors>(conv, frame, some.begin, tiles);
  } else if constexpr (vectors > 1) {
    conv2d_vectors<vectors - 1>(conv, frame, some, tiles);
  }
}

// Strips are evened out (5 vectors: 3 2), since a lone vector does not fill the pipeline.
void conv2d(const Conv2d& conv, const Frame& frame, Range range) {
  const std::size_t vectors = conv.taps.vectors;
  const std::size_t strips = (vectors + float_vectors - 1) / float_vectors;
  const std::size_t tiles = conv.sections.count * section_tiles(conv.sections, float_outputs);
  for_each_strip(range, tiles, [&](std::size_t strip, Range some) {
    conv2d_vectors<float_vectors>(conv, frame, even_part(vectors, strip, strips), some);
  });
}
