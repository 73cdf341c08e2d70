// From the counts of one tile to bits or floats, where a byte says all that a stage asks for: half
// the work of dot products in 16 bits.
//
// room - count, kept at 0 or above, takes the counts in any number of parts, as subtraction
// saturates.

template <std::size_t outputs, std::size_t vectors>
struct Counts {
  Bytes sum[outputs][vectors];
};

// Counts of earlier steps, in the memory of the dots: [part][output of the tile][vector][lane].
constexpr std::size_t kept_part(std::size_t vectors) {
  return bits_per_plane * vectors * byte_lanes;
}

template <std::size_t outputs, std::size_t vectors>
void keep_counts(const Counts<outputs, vectors>& counts, std::size_t part, const Tile& tile) {
  auto* kept = reinterpret_cast<std::uint8_t*>(tile.dots) + part * kept_part(vectors);
#pragma GCC unroll 8
  for (std::size_t o = 0; o < outputs; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v)
      store_bytes(kept + (o * vectors + v) * byte_lanes, counts.sum[o][v]);
  }
}

// The room of an output and vector, less the counts that were kept.
template <std::size_t vectors>
struct Rooms {
  const std::uint8_t* rows[vectors];
  const std::uint8_t* kept;
  std::size_t parts;

  Bytes left(std::size_t o, std::size_t v) const {
    Bytes room = load_bytes(rows[v] + o * byte_lanes);
    const std::uint8_t* counts = kept + (o * vectors + v) * byte_lanes;
    if (parts > 0) room = sub_bytes_saturated(room, load_bytes(counts));
    if (parts > 1) room = sub_bytes_saturated(room, load_bytes(counts + kept_part(vectors)));
    return room;
  }
};

template <std::size_t vectors>
Rooms<vectors> rooms_of(const BinaryConv& conv, const Stage& stage, std::size_t parts,
                        const Tile& tile) {
  Rooms<vectors> rooms{{}, reinterpret_cast<const std::uint8_t*>(tile.dots), parts};
  for (std::size_t v = 0; v < vectors; ++v) {
    const std::size_t pattern = conv.taps.pattern[tile.first_vector + v];
    rooms.rows[v] = stage.room + (pattern * conv.outputs + tile.first_output) * byte_lanes;
  }
  return rooms;
}

template <std::size_t outputs, std::size_t vectors>
void threshold_counts(const Stage& stage, const Frame& frame,
                      const Counts<outputs, vectors>& counts, const Rooms<vectors>& rooms,
                      const Tile& tile) {
  std::uint8_t* out = byte_plane(frame, stage.output, tile.plane) + tile.first_vector * byte_lanes;
  const Bytes inverted = broadcast_bytes(stage.inverted[tile.plane] * 0x01010101u);
#pragma GCC unroll 8
  for (std::size_t v = 0; v < vectors; ++v) {
    Bytes bits = zero_bytes();
#pragma GCC unroll 8
    for (std::size_t o = 0; o < outputs; ++o)
      bits = mark_less(bits, counts.sum[o][v], rooms.left(o, v), 0x01010101u << o);
    store_bytes(out + v * byte_lanes, xor_bytes(bits, inverted));
  }
}

template <bool accumulate>
void scale_bytes(const std::uint8_t* bytes, Floats scale, float* out, std::size_t count) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < count; i += float_lanes) {
    Floats x = mul_floats(bytes_to_floats(bytes + i), scale);
    if (accumulate) x = add_floats(load_floats(out + i), x);
    store_floats(out + i, x);
  }
}

// Bytes that are left of the rooms, [output][vector][lane], to floats.
template <bool accumulate, std::size_t outputs, std::size_t vectors>
void scale_left(const Stage& stage, const Frame& frame, const std::uint8_t* left,
                const Tile& tile) {
  const std::size_t stride = planes_of(frame, stage.output).stride;
  const std::size_t pixel = tile.first_vector * byte_lanes;
  const std::size_t lanes = smaller(vectors * byte_lanes, stride - pixel);
  float* out = float_plane(frame, stage.output, stage.at + tile.first_output) + pixel;
  for (std::size_t o = 0; o < outputs; ++o, out += stride, left += vectors * byte_lanes) {
    const Floats scale = broadcast_float(stage.scale[tile.first_output + o]);
    if (lanes == vectors * byte_lanes) {
      scale_bytes<accumulate>(left, scale, out, vectors * byte_lanes);
    } else {
      scale_bytes<accumulate>(left, scale, out, lanes);
    }
  }
}

template <bool accumulate, std::size_t outputs, std::size_t vectors>
void scale_counts(const Stage& stage, const Frame& frame, const Counts<outputs, vectors>& counts,
                  const Rooms<vectors>& rooms, const Tile& tile) {
  alignas(64) std::uint8_t left[outputs][vectors][byte_lanes];
#pragma GCC unroll 8
  for (std::size_t o = 0; o < outputs; ++o) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v)
      store_bytes(left[o][v], sub_bytes_saturated(rooms.left(o, v), counts.sum[o][v]));
  }
  scale_left<accumulate, outputs, vectors>(stage, frame, left[0][0], tile);
}

// Where the first byte of a tile lies in planes of bytes.
std::uint8_t* byte_rows(const Stage& stage, const Frame& frame, const Tile& tile) {
  return byte_plane(frame, stage.output, tile.first_output) + tile.first_vector * byte_lanes;
}

template <std::size_t outputs, std::size_t vectors>
void leave_counts(const Stage& stage, const Frame& frame, const Counts<outputs, vectors>& counts,
                  const Rooms<vectors>& rooms, const Tile& tile) {
  const std::size_t stride = planes_of(frame, stage.output).stride;
  std::uint8_t* out = byte_rows(stage, frame, tile);
#pragma GCC unroll 8
  for (std::size_t o = 0; o < outputs; ++o, out += stride) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v)
      store_bytes(out + v * byte_lanes, sub_bytes_saturated(rooms.left(o, v), counts.sum[o][v]));
  }
}

template <std::size_t outputs, std::size_t vectors>
void finish_counts(const BinaryConv& conv, const Frame& frame,
                   const Counts<outputs, vectors>& counts, std::size_t parts, const Tile& tile) {
  for (std::size_t i = 0; i < conv.stage_count; ++i) {
    const Stage& stage = conv.stages[i];
    const Rooms<vectors> rooms = rooms_of<vectors>(conv, stage, parts, tile);
    if (stage.kind == Stage::Kind::threshold) {
      threshold_counts(stage, frame, counts, rooms, tile);
    } else if (stage.kind == Stage::Kind::bytes) {
      leave_counts(stage, frame, counts, rooms, tile);
    } else if (stage.accumulate) {
      scale_counts<true>(stage, frame, counts, rooms, tile);
    } else {
      scale_counts<false>(stage, frame, counts, rooms, tile);
    }
  }
}
