// What is thrown where a file breaks a rule of docs/format.md, and how its messages show what came.
// The counterpart of bnas_deploy/errors.py.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/shown.h"

namespace bnas {

// The file is truncated, corrupted, of another version, or inconsistent.
class FormatError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws a FormatError that says where.
[[noreturn]] inline void refuse(const std::string& where, const std::string& what) {
  throw FormatError(where + ": " + what);
}

template <class Numbers>
std::string listed(const Numbers& numbers) {
  std::string text;
  for (const auto n : numbers) text += (text.empty() ? "" : ", ") + std::to_string(n);
  return "(" + text + ")";
}

inline std::string listed(std::initializer_list<std::uint64_t> numbers) {
  return listed<std::initializer_list<std::uint64_t>>(numbers);
}

}  // namespace bnas
