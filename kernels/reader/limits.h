// How large a whole program may be, so that no small file fills memory or runs for days; docs/
// format.md gives the numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bnas {

constexpr std::uint64_t file_limit = std::uint64_t{1} << 31;  // bytes
constexpr std::size_t extent_limit = 65536;
constexpr std::uint64_t element_limit = std::uint64_t{1} << 30;
constexpr std::size_t step_limit = 100000;
constexpr std::uint64_t window_limit = 65536;
constexpr std::uint64_t dot_limit = std::uint64_t{1} << 24;
constexpr std::uint64_t sum_limit = std::uint64_t{1} << 31;

// a * b, or a number above every limit where that is larger.
inline std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t most = std::uint64_t{1} << 60;
  return b != 0 && a > most / b ? most : a * b;
}

// An extent of a tensor as a size. What is too large for one becomes an extent that no value has.
inline std::size_t extent(std::uint64_t n) {
  return n <= extent_limit ? static_cast<std::size_t>(n) : extent_limit + 1;
}

inline std::uint64_t ceil_divide(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

// What the steps so far cost.
class Work {
 public:
  // Of convolutions and linear layers, for each step that uses them; binary ones of one output and
  // tap count as ceil(C / 8), of a depthwise convolution as one. Throws FormatError where it is too
  // much.
  void add_weights(const std::string& where, std::uint64_t weights);
  // Pixels of the output times positions of the window, and what is done at each.
  void add_windows(const std::string& where, std::uint64_t positions, std::uint64_t operations);

 private:
  std::uint64_t weights_ = 0, positions_ = 0, operations_ = 0;
};

}  // namespace bnas
