// Characters, numbers and digests as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bnas {

// Whether the bytes are well-formed UTF-8 (Unicode, table 3-7): no overlong forms, no surrogates.
bool is_utf8(std::string_view bytes);

void append_utf8(char32_t code, std::string& to);

// 0 to 15, or -1.
int hex_digit(char c);

// The double nearest to a JSON number, whatever the locale; infinite where it is too large.
double to_double(std::string_view number);

}  // namespace bnas
