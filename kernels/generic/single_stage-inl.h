// Binary convolutions that look at bytes and have one stage only, as most have: counts stay in
// registers until they are bits, or bytes that become floats.
//
// Counts beyond the greatest room are all alike, so that a lane that nears its 255 is set back to
// that room, in place of keeping what was counted so far.

// Outputs [first, first + count) of a tile. A call would put the counts into memory.
template <std::size_t first, std::size_t count, std::size_t outputs, std::size_t vectors>
[[gnu::always_inline]] inline void count_capped(const BinaryConv& conv, Gathered in,
                                                const std::uint32_t* weights,
                                                Bytes (&sum)[count][vectors]) {
#pragma GCC unroll 8
  for (std::size_t o = 0; o < count; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) sum[o][v] = zero_bytes();
  }
  std::size_t end = smaller(conv.steps, steps_per_byte);
  for (std::size_t s = 0;;) {
    for (; s < end; ++s) {
      Pixels x[vectors];
#pragma GCC unroll 8
      for (std::size_t v = 0; v < vectors; ++v)
        x[v] = prepare_pixels(load_bytes(in.bytes + v * byte_lanes));
#pragma GCC unroll 8
      for (std::size_t o = 0; o < count; ++o) {
        const Weight w = load_weight(weights + first + o);
#pragma GCC unroll 8
        for (std::size_t v = 0; v < vectors; ++v) sum[o][v] = add_differences(sum[o][v], x[v], w);
      }
      in.bytes += in.step;
      weights += outputs;
    }
    if (end == conv.steps) return;
    const Bytes cap = broadcast_bytes(conv.greatest_room * 0x01010101u);
#pragma GCC unroll 8
    for (std::size_t o = 0; o < count; ++o) {
#pragma GCC unroll 8
      for (std::size_t v = 0; v < vectors; ++v) sum[o][v] = min_bytes(sum[o][v], cap);
    }
    end = smaller(conv.steps, end + conv.later_steps);
  }
}

template <std::size_t vectors>
struct RoomRows {
  const std::uint8_t* row[vectors];
};

template <std::size_t vectors>
RoomRows<vectors> room_rows(const BinaryConv& conv, const Tile& tile) {
  RoomRows<vectors> rows;
  for (std::size_t v = 0; v < vectors; ++v) {
    const std::size_t pattern = conv.taps.pattern[tile.first_vector + v];
    rows.row[v] = conv.stages->room + (pattern * conv.outputs + tile.first_output) * byte_lanes;
  }
  return rows;
}

template <std::size_t outputs, std::size_t vectors, std::size_t first = 0>
void mark_outputs(const BinaryConv& conv, Gathered in, const Tile& tile,
                  const RoomRows<vectors>& rooms, Bytes (&bits)[vectors]) {
  constexpr std::size_t rest = outputs - first;
  constexpr std::size_t count = rest < counted_outputs ? rest : counted_outputs;
  Bytes sum[count][vectors];
  count_capped<first, count, outputs, vectors>(conv, in, tile.weights, sum);
#pragma GCC unroll 8
  for (std::size_t o = 0; o < count; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v)
      bits[v] = mark_less(bits[v], sum[o][v], load_bytes(rooms.row[v] + (first + o) * byte_lanes),
                          0x01010101u << (first + o));
  }
  if constexpr (count < rest)
    mark_outputs<outputs, vectors, first + count>(conv, in, tile, rooms, bits);
}

template <std::size_t outputs, std::size_t vectors>
[[gnu::noinline]] void threshold_tile(const BinaryConv& conv, const Frame& frame, Gathered in,
                                      const Tile& tile) {
  const Stage& stage = *conv.stages;
  const RoomRows<vectors> rooms = room_rows<vectors>(conv, tile);
  Bytes bits[vectors];
#pragma GCC unroll 8
  for (std::size_t v = 0; v < vectors; ++v) bits[v] = zero_bytes();
  mark_outputs<outputs, vectors>(conv, in, tile, rooms, bits);
  std::uint8_t* out = byte_plane(frame, stage.output, tile.plane) + tile.first_vector * byte_lanes;
  const Bytes inverted = broadcast_bytes(stage.inverted[tile.plane] * 0x01010101u);
#pragma GCC unroll 8
  for (std::size_t v = 0; v < vectors; ++v)
    store_bytes(out + v * byte_lanes, xor_bytes(bits[v], inverted));
}

// What is left of the rooms: [output][vector][lane], outputs `row` apart.
template <std::size_t outputs, std::size_t vectors, std::size_t first = 0>
void leave_outputs(const BinaryConv& conv, Gathered in, const Tile& tile,
                   const RoomRows<vectors>& rooms, std::uint8_t* left, std::size_t row) {
  constexpr std::size_t rest = outputs - first;
  constexpr std::size_t count = rest < counted_outputs ? rest : counted_outputs;
  Bytes sum[count][vectors];
  count_capped<first, count, outputs, vectors>(conv, in, tile.weights, sum);
#pragma GCC unroll 8
  for (std::size_t o = 0; o < count; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v)
      store_bytes(
          left + (first + o) * row + v * byte_lanes,
          sub_bytes_saturated(load_bytes(rooms.row[v] + (first + o) * byte_lanes), sum[o][v]));
  }
  if constexpr (count < rest)
    leave_outputs<outputs, vectors, first + count>(conv, in, tile, rooms, left, row);
}

template <bool accumulate, std::size_t outputs, std::size_t vectors>
[[gnu::noinline]] void scale_tile(const BinaryConv& conv, const Frame& frame, Gathered in,
                                  const Tile& tile) {
  alignas(64) std::uint8_t left[outputs * vectors * byte_lanes];
  leave_outputs<outputs, vectors>(conv, in, tile, room_rows<vectors>(conv, tile), left,
                                  vectors * byte_lanes);
  scale_left<accumulate, outputs, vectors>(*conv.stages, frame, left, tile);
}

template <std::size_t outputs, std::size_t vectors>
[[gnu::noinline]] void bytes_tile(const BinaryConv& conv, const Frame& frame, Gathered in,
                                  const Tile& tile) {
  leave_outputs<outputs, vectors>(conv, in, tile, room_rows<vectors>(conv, tile),
                                  byte_rows(*conv.stages, frame, tile),
                                  planes_of(frame, conv.stages->output).stride);
}

constexpr bool keeps_counts_in_registers(const BinaryConv& conv) {
  return conv.bytewise && conv.stage_count == 1 &&
         (conv.steps <= steps_per_byte || conv.later_steps > 0);
}

template <std::size_t outputs, std::size_t vectors>
void single_stage_tile(const BinaryConv& conv, const Frame& frame, Gathered in, const Tile& tile) {
  if (conv.stages->kind == Stage::Kind::threshold) {
    threshold_tile<outputs, vectors>(conv, frame, in, tile);
  } else if (conv.stages->kind == Stage::Kind::bytes) {
    bytes_tile<outputs, vectors>(conv, frame, in, tile);
  } else if (conv.stages->accumulate) {
    scale_tile<true, outputs, vectors>(conv, frame, in, tile);
  } else {
    scale_tile<false, outputs, vectors>(conv, frame, in, tile);
  }
}
