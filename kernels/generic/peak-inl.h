// What the machine can do at most: counting differing bits of registers and adding; no useful
// result.

std::uint64_t peak_loop(std::size_t rounds) {
  constexpr int sums = 8;
  Bytes sum[sums];
  Pixels x[sums];
  for (int i = 0; i < sums; ++i) {
    sum[i] = zero_bytes();
    x[i] = prepare_pixels(opaque(broadcast_bytes(0x9e3779b9u * static_cast<std::uint32_t>(i + 1))));
  }
  const std::uint8_t weights[max_lanes] = {0x5b};
  std::uint32_t codes[max_lanes];
  encode_weights(weights, 1, codes);
  Weight w = load_weight(codes);
  for (std::size_t round = 0; round < rounds; ++round) {
    w = opaque_weight(w);  // or the compiler would take the counting out of the loop
#pragma GCC unroll 8
    for (int i = 0; i < sums; ++i) sum[i] = add_differences(sum[i], x[i], w);
  }
  for (int i = 0; i < sums; ++i) sum[i] = opaque(sum[i]);
  return static_cast<std::uint64_t>(rounds) * sums * byte_lanes * 8;
}
