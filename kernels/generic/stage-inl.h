// From the dot products of one tile to bits or floats, where they need 16 bits.
//
// Dots layout: [output of the tile][vector][even lanes, odd lanes].

// The part of a convolution's outputs and pixels that is being worked on.
struct Tile {
  std::size_t first_output, outputs;
  std::size_t plane;  // of a threshold's bits
  std::size_t first_vector;
  const std::uint32_t* weights;  // [step][output of the tile]
  std::int16_t* dots;
};

constexpr std::size_t half_lanes = byte_lanes / 2;

template <std::size_t outputs, std::size_t vectors>
void threshold_stage(const Stage& stage, const Frame& frame, const Tile& tile) {
  std::uint8_t* out = byte_plane(frame, stage.output, tile.plane) + tile.first_vector * byte_lanes;
  const std::uint32_t* limit = stage.limit + tile.first_output;
  const Bytes inverted = broadcast_bytes(stage.inverted[tile.plane] * 0x01010101u);
#pragma GCC unroll 8
  for (std::size_t v = 0; v < vectors; ++v) {
    Bytes bits = zero_bytes();
#pragma GCC unroll 8
    for (std::size_t o = 0; o < outputs; ++o) {
      const std::int16_t* dots = tile.dots + (o * vectors + v) * byte_lanes;
      bits = mark_greater(bits, load_words(dots), load_words(dots + half_lanes), limit[o],
                          0x01010101u << o);
    }
    store_bytes(out + v * byte_lanes, xor_bytes(bits, inverted));
  }
}

template <bool relu, bool accumulate>
void scale_row(const std::int16_t* dots, Floats scale, float* out, std::size_t lanes) {
  for (std::size_t i = 0; i < lanes; i += float_lanes) {
    Floats x = mul_floats(words_to_floats(dots + i), scale);
    if (relu) x = relu_floats(x);
    if (accumulate) x = add_floats(load_floats(out + i), x);
    store_floats(out + i, x);
  }
}

template <bool relu, bool accumulate>
void shift_row(const std::int16_t* dots, Floats scale, Floats shift, float* out,
               std::size_t lanes) {
  for (std::size_t i = 0; i < lanes; i += float_lanes) {
    Floats x = add_floats(mul_floats(words_to_floats(dots + i), scale), shift);
    if (relu) x = relu_floats(x);
    if (accumulate) x = add_floats(load_floats(out + i), x);
    store_floats(out + i, x);
  }
}

template <std::size_t vectors, bool relu, bool accumulate>
void scale_stage(const Stage& stage, const Frame& frame, const Tile& tile) {
  alignas(64) std::int16_t row[vectors * byte_lanes];
  const std::size_t stride = planes_of(frame, stage.output).stride;
  const std::size_t pixel = tile.first_vector * byte_lanes;
  const std::size_t lanes = smaller(vectors * byte_lanes, stride - pixel);
  float* out = float_plane(frame, stage.output, stage.at + tile.first_output) + pixel;
  const std::int16_t* dots = tile.dots;
  for (std::size_t o = 0; o < tile.outputs; ++o, out += stride) {
    for (std::size_t v = 0; v < vectors; ++v, dots += byte_lanes) {
      store_interleaved(row + v * byte_lanes, load_words(dots), load_words(dots + half_lanes));
    }
    const Floats scale = broadcast_float(stage.scale[tile.first_output + o]);
    if (stage.shift == nullptr) {
      scale_row<relu, accumulate>(row, scale, out, lanes);
    } else {
      const Floats shift = broadcast_float(stage.shift[tile.first_output + o]);
      shift_row<relu, accumulate>(row, scale, shift, out, lanes);
    }
  }
}

template <std::size_t vectors, bool relu>
void scale_stage(const Stage& stage, const Frame& frame, const Tile& tile) {
  if (stage.accumulate) {
    scale_stage<vectors, relu, true>(stage, frame, tile);
  } else {
    scale_stage<vectors, relu, false>(stage, frame, tile);
  }
}

template <std::size_t outputs, std::size_t vectors>
void finish_dots(const BinaryConv& conv, const Frame& frame, const Tile& tile) {
  for (std::size_t i = 0; i < conv.stage_count; ++i) {
    const Stage& stage = conv.stages[i];
    if (stage.kind == Stage::Kind::threshold) {
      threshold_stage<outputs, vectors>(stage, frame, tile);
    } else if (stage.relu) {
      scale_stage<vectors, true>(stage, frame, tile);
    } else {
      scale_stage<vectors, false>(stage, frame, tile);
    }
  }
}
