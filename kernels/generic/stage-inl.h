// From the dot products of one tile to bits or floats; not how they were computed.
//
// Dots layout: [output of the tile][vector][even lanes, odd lanes].

// The part of a convolution's outputs and pixels that is being worked on.
struct Tile {
  std::size_t first_output, outputs;
  std::size_t first_vector, vectors;
  std::int16_t* dots;
};

constexpr std::size_t half_lanes = byte_lanes / 2;

const std::int16_t* dots_of(const Tile& tile, std::size_t output, std::size_t vector) {
  return tile.dots + (output * tile.vectors + vector) * byte_lanes;
}

void threshold_stage(const Stage& stage, const Frame& frame, const Tile& tile) {
  const std::size_t plane = tile.first_output / bits_per_plane;
  std::uint8_t* out = byte_plane(frame, stage.output, plane) + tile.first_vector * byte_lanes;
  const Bytes inverted = broadcast_bytes(stage.inverted[plane] * 0x01010101u);
  for (std::size_t v = 0; v < tile.vectors; ++v) {
    Bytes bits = zero_bytes();
    for (std::size_t o = 0; o < tile.outputs; ++o) {
      const std::int16_t* dots = dots_of(tile, o, v);
      const std::uint32_t bit = 0x01010101u << o;
      bits = mark_greater(bits, load_words(dots), load_words(dots + half_lanes),
                          stage.limit[tile.first_output + o], bit);
    }
    store_bytes(out + v * byte_lanes, xor_bytes(bits, inverted));
  }
}

void scale_row(const std::int16_t* dots, Floats scale, const Stage& stage, float* out,
               std::size_t lanes) {
  for (std::size_t i = 0; i < lanes; i += float_lanes) {
    Floats x = mul_floats(words_to_floats(dots + i), scale);
    if (stage.relu) x = relu_floats(x);
    if (stage.accumulate) x = add_floats(load_floats(out + i), x);
    store_floats(out + i, x);
  }
}

void scale_stage(const Stage& stage, const Frame& frame, const Tile& tile) {
  alignas(64) std::int16_t row[byte_lanes];
  const std::size_t stride = planes_of(frame, stage.output).stride;
  for (std::size_t o = 0; o < tile.outputs; ++o) {
    const std::size_t output = tile.first_output + o;
    const Floats scale = broadcast_float(stage.scale[output]);
    float* plane = float_plane(frame, stage.output, stage.at + output);
    for (std::size_t v = 0; v < tile.vectors; ++v) {
      const std::int16_t* dots = dots_of(tile, o, v);
      const std::size_t pixel = (tile.first_vector + v) * byte_lanes;
      store_interleaved(row, load_words(dots), load_words(dots + half_lanes));
      scale_row(row, scale, stage, plane + pixel, smaller(byte_lanes, stride - pixel));
    }
  }
}

void finish_tile(const BinaryConv& conv, const Frame& frame, const Tile& tile) {
  for (std::size_t i = 0; i < conv.stage_count; ++i) {
    if (conv.stages[i].kind == Stage::Kind::threshold) {
      threshold_stage(conv.stages[i], frame, tile);
    } else {
      scale_stage(conv.stages[i], frame, tile);
    }
  }
}
