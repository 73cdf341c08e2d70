// What is thrown where a file breaks a rule of docs/format.md, and how its messages show what came;
// not the rules. The counterpart of bnas_deploy/errors.py.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

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

// The beginning of a text in UTF-8, of at most so many bytes, without half a character at its end.
inline std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most != 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

// A name of the file in a message: quoted, and no longer than a line.
inline std::string quoted(std::string_view text) {
  constexpr std::size_t most = 80;
  std::string shown(cut(text, most));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  }
  return "'" + shown + (text.size() > most ? "...'" : "'");
}

template <class Numbers>
std::string listed(const Numbers& numbers) {
  std::string text;
  for (const auto n : numbers) text += (text.empty() ? "" : ", ") + std::to_string(n);
  return "(" + text + ")";
}

inline std::string listed(std::initializer_list<std::size_t> numbers) {
  return listed<std::initializer_list<std::size_t>>(numbers);
}

}  // namespace bnas
