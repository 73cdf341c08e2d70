// The inner part of an 8-bit convolution in AMX: a tile register holds 16 rows of 64 bytes, which
// is 16 outputs of 16 quads of weights, 16 quads of 16 pixels, or sums of 16 outputs and 16 pixels.
// Two tiles of outputs and two vectors of pixels make four tiles of sums, so that none waits for
// itself.

constexpr std::size_t amx_rows = 16;
constexpr std::size_t amx_row_bytes = 64;

struct alignas(64) AmxShapes {
  std::uint8_t palette, start_row, reserved[14];
  std::uint16_t row_bytes[16];
  std::uint8_t rows[16];
};

// The tile registers, all of full size, as long as it lives. They are a thread's own.
class AmxTiles {
 public:
  AmxTiles() {
    AmxShapes shapes{};
    shapes.palette = 1;
    for (std::size_t i = 0; i < 8; ++i) {
      shapes.row_bytes[i] = amx_row_bytes;
      shapes.rows[i] = amx_rows;
    }
    asm volatile("" ::: "memory");  // GCC takes it to read no more than the first eight bytes
    _tile_loadconfig(&shapes);
  }
  ~AmxTiles() { _tile_release(); }
  AmxTiles(const AmxTiles&) = delete;
  AmxTiles& operator=(const AmxTiles&) = delete;
};

// Weights of one tile of outputs; `step` from one block of rows to the next.
struct AmxWeights {
  const std::uint32_t* first;
  std::size_t step;
};

template <std::size_t vectors>
struct AmxSums {
  alignas(64) std::int32_t lane[2 * quad_outputs][vectors][float_lanes];
};

template <std::size_t vectors, std::size_t tiles>
void multiply_blocks(const QuadChunk& chunk, const AmxWeights (&weights)[2],
                     AmxSums<vectors>& sums) {
  constexpr std::size_t row = vectors * amx_row_bytes;
  const std::uint32_t* in = chunk.in;
  AmxWeights w0 = weights[0], w1 = weights[1];
  asm volatile("" ::: "memory");  // GCC does not know that loads of tiles read memory
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::size_t k = 0; k < chunk.rows; k += amx_rows) {
    _tile_loadd(4, w0.first, amx_row_bytes);
    _tile_loadd(6, in, row);
    _tile_dpbsud(0, 4, 6);
    if constexpr (vectors > 1) {
      _tile_loadd(7, in + float_lanes, row);
      _tile_dpbsud(1, 4, 7);
    }
    if constexpr (tiles > 1) {
      _tile_loadd(5, w1.first, amx_row_bytes);
      _tile_dpbsud(2, 5, 6);
      if constexpr (vectors > 1) _tile_dpbsud(3, 5, 7);
    }
    in += amx_rows * vectors * float_lanes;
    w0.first += w0.step;
    w1.first += w1.step;
  }
  _tile_stored(0, sums.lane[0][0], row);
  if constexpr (vectors > 1) _tile_stored(1, sums.lane[0][1], row);
  if constexpr (tiles > 1) _tile_stored(2, sums.lane[quad_outputs][0], row);
  if constexpr (tiles > 1 && vectors > 1) _tile_stored(3, sums.lane[quad_outputs][1], row);
  asm volatile("" ::: "memory");
}

// The tile of weights from `first` on; of no outputs where there are none left.
AmxWeights amx_weights(const QuantizedConv& conv, const QuadChunk& chunk, std::size_t first,
                       std::size_t end) {
  if (first >= end) return {nullptr, 0};
  const std::size_t count = smaller(quad_outputs, conv.outputs - first);
  return {chunk_weights(conv, chunk, first, count), count * amx_rows};
}

void put_sums(const QuantizedConv& conv, const QuadChunk& chunk, std::size_t output, Sums sums,
              float* out) {
  if (!chunk.last) return store_sums(out, sums);
  const Floats y = mul_floats(sums_to_floats(sums), broadcast_float(conv.scale[output]));
  store_floats(out, conv.relu ? relu_floats(y) : y);
}

template <std::size_t vectors>
void put_products(const QuantizedConv& conv, const Frame& frame, const QuadChunk& chunk,
                  const AmxSums<vectors>& sums, Range outputs) {
  for (std::size_t o = outputs.begin; o < outputs.end; ++o) {
    float* out = chunk_output(conv, frame, chunk, o);
    for (std::size_t v = 0; v < vectors; ++v, out += float_lanes) {
      const Sums products = load_sums(sums.lane[o - outputs.begin][v]);
      put_sums(conv, chunk, o, _mm512_add_epi32(first_sums(conv, chunk, o, out), products), out);
    }
  }
}

template <std::size_t vectors>
void quantized_outputs(const QuantizedConv& conv, const Frame& frame, const QuadChunk& chunk,
                       Range some) {
  const AmxTiles tiles;
  AmxSums<vectors> sums;
  const std::size_t end = smaller(some.end * quad_outputs, conv.outputs);
  for (std::size_t o = some.begin * quad_outputs; o < end; o += 2 * quad_outputs) {
    const AmxWeights weights[2] = {amx_weights(conv, chunk, o, end),
                                   amx_weights(conv, chunk, o + quad_outputs, end)};
    if (weights[1].first != nullptr) {
      multiply_blocks<vectors, 2>(chunk, weights, sums);
    } else {
      multiply_blocks<vectors, 1>(chunk, weights, sums);
    }
    put_products(conv, frame, chunk, sums, {o, smaller(o + 2 * quad_outputs, end)});
  }
}
