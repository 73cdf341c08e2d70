// How messages show text that came from outside: quoted, in one line, cut where it is long.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bnas {

// The beginning of a text in UTF-8, of at most so many bytes, without half a character at its end.
inline std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most != 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

inline std::string quoted(std::string_view text) {
  constexpr std::size_t most = 80;
  std::string shown(cut(text, most));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  }
  return "'" + shown + (text.size() > most ? "...'" : "'");
}

}  // namespace bnas
