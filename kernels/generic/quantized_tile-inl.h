// The inner part of an 8-bit convolution in vector registers: a few outputs of a few vectors of
// pixels. A lane of 32 bits holds a quad, four channels of one pixel at one tap, or a sum.

template <std::size_t vectors, std::size_t outputs>
void add_quad_rows(const QuadChunk& chunk, const std::uint32_t* weights,
                   Sums (&sums)[outputs][vectors]) {
  const std::uint32_t* in = chunk.in;
  for (std::size_t k = 0; k < chunk.rows; ++k) {
    Quads x[vectors];
#pragma GCC unroll 16
    for (std::size_t v = 0; v < vectors; ++v) x[v] = load_quads(in + v * float_lanes);
#pragma GCC unroll 16
    for (std::size_t o = 0; o < outputs; ++o) {
      const QuadWeights w = broadcast_weights(weights[o]);
#pragma GCC unroll 16
      for (std::size_t v = 0; v < vectors; ++v) sums[o][v] = dot_quads(sums[o][v], x[v], w);
    }
    in += vectors * float_lanes;
    weights += outputs;
  }
}

// The sums are in registers: what sees them is inlined.
template <bool relu, std::size_t vectors, std::size_t outputs>
[[gnu::always_inline]] inline void scale_sums(const Sums (&sums)[outputs][vectors],
                                              const float* scale, float* out, std::size_t stride) {
#pragma GCC unroll 16
  for (std::size_t o = 0; o < outputs; ++o) {
    const Floats s = broadcast_float(scale[o]);
#pragma GCC unroll 16
    for (std::size_t v = 0; v < vectors; ++v) {
      const Floats y = mul_floats(sums_to_floats(sums[o][v]), s);
      store_floats(out + o * stride + v * float_lanes, relu ? relu_floats(y) : y);
    }
  }
}

// Puts the sums away: as they are where more chunks follow, else as floats.
template <std::size_t vectors, std::size_t outputs>
[[gnu::always_inline]] inline void put_sums(const QuantizedConv& conv, const QuadChunk& chunk,
                                            std::size_t first_output,
                                            const Sums (&sums)[outputs][vectors], float* out,
                                            std::size_t stride) {
  const float* scale = conv.scale + first_output;
  if (chunk.last) {
    if (conv.relu) return scale_sums<true>(sums, scale, out, stride);
    return scale_sums<false>(sums, scale, out, stride);
  }
#pragma GCC unroll 16
  for (std::size_t o = 0; o < outputs; ++o) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < vectors; ++v)
      store_sums(out + o * stride + v * float_lanes, sums[o][v]);
  }
}

template <std::size_t vectors, std::size_t outputs>
void quantized_tile(const QuantizedConv& conv, const Frame& frame, const QuadChunk& chunk,
                    std::size_t first_output) {
  const std::size_t stride = planes_of(frame, conv.output).stride;
  float* out = chunk_output(conv, frame, chunk, first_output);
  Sums sums[outputs][vectors];
#pragma GCC unroll 16
  for (std::size_t o = 0; o < outputs; ++o) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < vectors; ++v)
      sums[o][v] = first_sums(conv, chunk, first_output + o, out + o * stride + v * float_lanes);
  }
  add_quad_rows<vectors, outputs>(chunk, chunk_weights(conv, chunk, first_output, outputs), sums);
  put_sums<vectors, outputs>(conv, chunk, first_output, sums, out, stride);
}

template <std::size_t vectors, std::size_t outputs = quad_outputs>
void quantized_some(const QuantizedConv& conv, const Frame& frame, const QuadChunk& chunk,
                    std::size_t first_output, std::size_t count) {
  if (count == outputs) {
    quantized_tile<vectors, outputs>(conv, frame, chunk, first_output);
  } else if constexpr (outputs > 1) {
    quantized_some<vectors, outputs - 1>(conv, frame, chunk, first_output, count);
  }
}

template <std::size_t vectors>
void quantized_outputs(const QuantizedConv& conv, const Frame& frame, const QuadChunk& chunk,
                       Range tiles) {
  for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
    const std::size_t o = tile * quad_outputs;
    quantized_some<vectors>(conv, frame, chunk, o, smaller(quad_outputs, conv.outputs - o));
  }
}
