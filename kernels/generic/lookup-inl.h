// How many bits of two vectors of bytes differ, where the machine cannot count bits but can look up
// 16 bytes at once: a weight selects two tables, one for each nibble of the other operand. Half the
// operations of xor and a popcount by look-up.

struct Pixels {
  Bytes low, high;  // nibbles
};
struct Weight {
  Bytes low, high;  // tables
};

// Table i at 16 i: for each nibble, how many of its bits differ from those of i.
struct DifferenceTables {
  alignas(64) std::uint8_t count[256];
};

constexpr DifferenceTables make_difference_tables() {
  DifferenceTables tables{};
  for (unsigned i = 0; i < 256; ++i) {
    const unsigned bits = (i / 16) ^ (i % 16);
    tables.count[i] =
        static_cast<std::uint8_t>((bits & 1) + (bits >> 1 & 1) + (bits >> 2 & 1) + (bits >> 3));
  }
  return tables;
}

constexpr DifferenceTables difference_tables = make_difference_tables();

// The places of both tables of each weight byte, 16 bits each.
void encode_weights(const std::uint8_t* in, std::size_t count, std::uint32_t* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = (in[i] & 0x0fu) * 16u | (in[i] & 0xf0u) << 16;
}

Pixels prepare_pixels(Bytes x) { return {low_nibbles(x), high_nibbles(x)}; }
Weight load_weight(const std::uint32_t* w) {
  std::uint16_t at[2];
  std::memcpy(at, w, sizeof at);
  return {load_table(difference_tables.count + at[0]), load_table(difference_tables.count + at[1])};
}
Weight opaque_weight(Weight w) { return {opaque(w.low), opaque(w.high)}; }
Bytes add_differences(Bytes sum, Pixels x, Weight w) {
  return add_bytes(add_bytes(sum, look_up(w.low, x.low)), look_up(w.high, x.high));
}
