// a b + c of floats, rounded once, where the machine has no instruction for that. Doubles hold the
// product exactly; their sum is rounded to odd, and a number rounded to odd can be rounded again as
// if it were exact (Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved
// algorithms using rounding to odd", IEEE Transactions on Computers 57, 2008).

// Towards zero, with the last bit set if anything was cut off.
double add_to_odd(double a, double b) {
  const double sum = a + b;
  const double from_b = sum - a;
  const double error = (a - (sum - from_b)) + (b - from_b);  // exact (Knuth)
  if (!(error < 0.0 || error > 0.0)) return sum;             // exact, infinite or no number
  std::uint64_t bits;
  std::memcpy(&bits, &sum, sizeof bits);
  bits = (bits - static_cast<std::uint64_t>((error < 0.0) != (sum < 0.0))) | 1u;
  double odd;
  std::memcpy(&odd, &bits, sizeof odd);
  return odd;
}

float exact_fma(float a, float b, float c) {
  const double product = static_cast<double>(a) * static_cast<double>(b);
  return static_cast<float>(add_to_odd(product, static_cast<double>(c)));
}
