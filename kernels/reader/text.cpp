#include "reader/text.h"

#include <locale.h>
#include <stdlib.h>
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include <new>

namespace bnas {
namespace {

// Bytes that follow the first one of a character, or -1 where none may begin so; `least` and `most`
// bound the second byte.
int followers(unsigned char first, unsigned char& least, unsigned char& most) {
  least = 0x80;
  most = 0xbf;
  if (first < 0x80) return 0;
  if (first < 0xc2 || first > 0xf4) return -1;
  if (first == 0xe0) least = 0xa0;
  if (first == 0xed) most = 0x9f;
  if (first == 0xf0) least = 0x90;
  if (first == 0xf4) most = 0x8f;
  return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

// strtod obeys the locale of the process, which may write a comma for the point.
#if defined(_WIN32)
using Locale = _locale_t;
Locale plain_locale() { return _create_locale(LC_ALL, "C"); }
double parse(const char* number, Locale locale) { return _strtod_l(number, nullptr, locale); }
#else
using Locale = locale_t;
Locale plain_locale() { return newlocale(LC_ALL_MASK, "C", nullptr); }
double parse(const char* number, Locale locale) { return strtod_l(number, nullptr, locale); }
#endif

}  // namespace

bool is_utf8(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    unsigned char least, most;
    const int more = followers(static_cast<unsigned char>(bytes[i]), least, most);
    if (more < 0) return false;
    for (int k = 0; k < more; ++k) {
      if (++i == bytes.size()) return false;
      const auto byte = static_cast<unsigned char>(bytes[i]);
      if (byte < least || byte > most) return false;
      least = 0x80;
      most = 0xbf;
    }
  }
  return true;
}

void append_utf8(char32_t code, std::string& to) {
  if (code < 0x80) {
    to += static_cast<char>(code);
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr unsigned leads[] = {0, 0xc0, 0xe0, 0xf0};
  to += static_cast<char>(leads[more] | code >> 6 * more);
  for (int k = more - 1; k >= 0; --k) to += static_cast<char>(0x80 | (code >> 6 * k & 0x3f));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

double to_double(std::string_view number) {
  static const Locale plain = plain_locale();  // kept as long as the process lives
  if (plain == nullptr) throw std::bad_alloc();
  return parse(std::string(number).c_str(), plain);
}

}  // namespace bnas
