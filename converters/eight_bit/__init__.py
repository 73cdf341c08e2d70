"""Full-precision layers of a packed program in 8 bits: which ones, their ranges, the effect."""
