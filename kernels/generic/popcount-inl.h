// How many bits of two vectors of bytes differ, where the machine counts bits: xor and popcount.

using Pixels = Bytes;
using Weight = Bytes;

// What the file of a weight byte w holds for this: w, four times.
std::uint32_t encode_weight(std::uint8_t w) { return w * 0x01010101u; }

Pixels prepare_pixels(Bytes x) { return x; }
Weight load_weight(const std::uint32_t* w) { return broadcast_bytes(*w); }
Weight opaque_weight(Weight w) { return opaque(w); }
Bytes add_differences(Bytes sum, Pixels x, Weight w) {
  return add_bytes(sum, popcount_bytes(xor_bytes(x, w)));
}
