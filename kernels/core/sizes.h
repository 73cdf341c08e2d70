// Arithmetic on sizes of memory. Products are checked: on a machine of 32 bits a small file can ask
// for more than can be addressed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace bnas {

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

constexpr std::size_t divide_up(std::size_t n, std::size_t by) { return (n + by - 1) / by; }

// No object is larger: differences of pointers must fit.
constexpr std::size_t most_bytes = PTRDIFF_MAX;

[[noreturn]] inline void refuse_size() {
  throw std::length_error("more memory is needed than can be addressed");
}

// Throw std::length_error where the result is larger than any object can be.
inline std::size_t product(std::size_t a, std::size_t b) {
  if (b != 0 && a > most_bytes / b) refuse_size();
  return a * b;
}

template <class... Sizes>
std::size_t product(std::size_t a, std::size_t b, Sizes... more) {
  return product(product(a, b), more...);
}

inline std::size_t sum(std::size_t a, std::size_t b) {
  if (a > most_bytes || b > most_bytes - a) refuse_size();
  return a + b;
}

}  // namespace bnas
