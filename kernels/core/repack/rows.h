// Rows of packed bits, as the file holds them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/sizes.h"

namespace bnas {

inline std::size_t words_for(std::size_t bits) { return divide_up(bits, 64); }

inline bool bit_at(const std::uint64_t* row, std::size_t i) { return row[i / 64] >> i % 64 & 1; }

// Up to 64 bits of a row, from bit `first` on.
inline std::uint64_t bits_at(const std::uint64_t* row, std::size_t first, std::size_t count) {
  const std::size_t word = first / 64, shift = first % 64;
  std::uint64_t bits = row[word] >> shift;
  if (shift + count > 64) bits |= row[word + 1] << (64 - shift);
  return count < 64 ? bits & ((std::uint64_t{1} << count) - 1) : bits;
}

}  // namespace bnas
