// What the machine can do at most: xor, popcount and add on registers, without a load; no useful
// result.

std::uint64_t peak_loop(std::size_t rounds) {
  constexpr int sums = 8;
  Bytes sum[sums];
  Bytes x[sums];
  for (int i = 0; i < sums; ++i) {
    sum[i] = zero_bytes();
    x[i] = opaque(broadcast_bytes(0x9e3779b9u * static_cast<std::uint32_t>(i + 1)));
  }
  Bytes w = broadcast_bytes(0x5bd1e995u);
  for (std::size_t round = 0; round < rounds; ++round) {
    w = opaque(w);  // or the compiler would take the popcounts out of the loop
#pragma GCC unroll 8
    for (int i = 0; i < sums; ++i) sum[i] = add_bytes(sum[i], popcount_bytes(xor_bytes(x[i], w)));
  }
  for (int i = 0; i < sums; ++i) sum[i] = opaque(sum[i]);
  return static_cast<std::uint64_t>(rounds) * sums * byte_lanes * 8;
}
