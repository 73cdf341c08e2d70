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
constexpr std::size_t step_limit = 65536;
constexpr std::uint64_t header_limit = std::uint64_t{1} << 24;  // bytes
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

// What sums and comparisons of a step cost, each.
constexpr std::uint64_t float_work = 16, eight_bit_work = 8;

// What a step costs for one image, beside reading its inputs and writing its outputs.
struct Count {
  std::uint64_t weights;    // of convolutions and linear layers; binary ones of one output and tap
                            // count as ceil(C / 8), of a depthwise convolution as one
  std::uint64_t terms;      // channels of the input times positions of the window
  std::uint64_t positions;  // pixels of the output times positions of the window
  std::uint64_t work;
};

// What the steps so far cost.
class Work {
 public:
  void add(const Count& count);
  // A step or stage reads or assigns a value of so many elements.
  void add_use(std::uint64_t elements);
  // Throws FormatError where it is too much.
  void check(const std::string& where) const;
  // Units so far.
  std::uint64_t units() const { return sum_.work; }

 private:
  std::uint64_t uses_ = 0;
  Count sum_{};
};

}  // namespace bnas
