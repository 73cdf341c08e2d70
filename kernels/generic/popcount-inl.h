// How many bits of two vectors of bytes differ, where the machine counts bits: xor and popcount.

using Pixels = Bytes;
using Weight = Bytes;

// Each weight byte, four times.
void encode_weights(const std::uint8_t* in, std::size_t count, std::uint32_t* out) {
  replicate_bytes(in, count, out);
}

Pixels prepare_pixels(Bytes x) { return x; }
Weight load_weight(const std::uint32_t* w) { return broadcast_bytes(*w); }
Weight opaque_weight(Weight w) { return opaque(w); }
Bytes add_differences(Bytes sum, Pixels x, Weight w) {
  return add_bytes(sum, popcount_bytes(xor_bytes(x, w)));
}
