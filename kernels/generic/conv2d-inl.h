// Float convolution: one chain of fused multiply-adds an output and pixel, in the order of
// docs/format.md.
//
// Lanes are output pixels. The gathered pixels of (c, ky, kx) = row k lie at [k][vector][lane].

template <std::size_t outputs, std::size_t vectors>
void conv2d_tile(const Conv2d& conv, const Frame& frame, const float* in, std::size_t first_output,
                 std::size_t first_vector) {
  Floats sum[outputs][vectors];
#pragma GCC unroll 8
  for (std::size_t o = 0; o < outputs; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v)
      sum[o][v] = broadcast_float(conv.bias[first_output + o]);
  }
  const std::size_t rows = conv.channels * conv.taps.taps;
  const float* weights = conv.weights + first_output * rows;
  for (std::size_t k = 0; k < rows; ++k) {
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
#pragma GCC unroll 8
  for (std::size_t o = 0; o < outputs; ++o) {
    float* out = float_plane(frame, conv.output, first_output + o) + first_vector * float_lanes;
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) {
      store_floats(out + v * float_lanes, conv.relu ? relu_floats(sum[o][v]) : sum[o][v]);
    }
  }
}

template <std::size_t vectors, std::size_t outputs = float_outputs>
void conv2d_some(const Conv2d& conv, const Frame& frame, const float* in, std::size_t first_output,
                 std::size_t count, std::size_t first_vector) {
  if (count == outputs) {
    conv2d_tile<outputs, vectors>(conv, frame, in, first_output, first_vector);
  } else if constexpr (outputs > 1) {
    conv2d_some<vectors, outputs - 1>(conv, frame, in, first_output, count, first_vector);
  }
}

template <std::size_t vectors>
void conv2d_group(const Conv2d& conv, const Frame& frame, std::size_t first) {
  auto* in = reinterpret_cast<float*>(frame.scratch);
  constexpr std::size_t row = vectors * float_lanes;
  const Source<float> source{float_plane(frame, conv.input, 0), planes_of(frame, conv.input).stride,
                             conv.channels};
  gather(conv.taps, source, first, vectors, in, {row, conv.taps.taps * row});
  for (std::size_t o = 0; o < conv.outputs; o += float_outputs) {
    conv2d_some<vectors>(conv, frame, in, o, smaller(float_outputs, conv.outputs - o), first);
  }
}

template <std::size_t vectors>
void conv2d_vectors(const Conv2d& conv, const Frame& frame, std::size_t first, std::size_t count) {
  if (count == vectors) {
    conv2d_group<vectors>(conv, frame, first);
  } else if constexpr (vectors > 1) {
    conv2d_vectors<vectors - 1>(conv, frame, first, count);
  }
}

// Groups are evened out (16 vectors: 3 3 3 3 2 2), since a lone vector does not fill the pipeline.
void conv2d(const Conv2d& conv, const Frame& frame, Range range) {
  const std::size_t vectors = conv.taps.vectors;
  const std::size_t groups = (vectors + float_vectors - 1) / float_vectors;
  for (std::size_t group = range.begin; group < range.end; ++group) {
    const std::size_t first = vectors * group / groups;
    conv2d_vectors<float_vectors>(conv, frame, first, vectors * (group + 1) / groups - first);
  }
}
