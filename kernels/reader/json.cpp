#include "reader/json.h"

#include <algorithm>
#include <cmath>

#include "reader/error.h"
#include "reader/text.h"

namespace bnas {
namespace {

constexpr std::size_t depth_limit = 100;
constexpr std::size_t integer_digits = 19;

}  // namespace

// A parser by recursive descent; its depth is that of the text, which is limited.
class JsonParser {
 public:
  using Type = JsonValue::Type;

  JsonParser(std::string_view text, const std::string& where, Json& json)
      : text_(text), where_(where), json_(json) {}

  void parse() {
    if (!is_utf8(text_)) refuse(where_, "it is not UTF-8 text; the file is damaged");
    skip_space();
    value();
    skip_space();
    if (at_ != text_.size()) invalid("something follows the end");
  }

 private:
  [[noreturn]] void invalid(const std::string& what) const {
    refuse(where_, "it is not valid JSON (" + what + " at byte " + std::to_string(at_) +
                       "); the file is damaged");
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool accept(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool accept(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  void skip_space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }

  std::size_t add(Type type, bool flag = false) {
    json_.nodes_.push_back({type, flag, {0}, 0});
    return json_.nodes_.size() - 1;
  }

  void value() {
    if (peek() == '{') return nested(Type::object, '}');
    if (peek() == '[') return nested(Type::list, ']');
    if (peek() == '"') return string();
    if (peek() == '-' || (peek() >= '0' && peek() <= '9')) return number();
    if (accept("null")) return static_cast<void>(add(Type::null));
    if (accept("true")) return static_cast<void>(add(Type::boolean, true));
    if (accept("false")) return static_cast<void>(add(Type::boolean));
    if (accept("NaN") || accept("Infinity")) refuse(where_, "numbers must be finite");
    invalid("expected a value");
  }

  void nested(Type type, char closing) {
    if (++depth_ > depth_limit)
      refuse(where_, "it is nested more than " + std::to_string(depth_limit) + " deep");
    ++at_;
    const std::size_t self = add(type);
    std::size_t size = 0;
    skip_space();
    if (!accept(closing)) {
      do {
        skip_space();
        if (type == Type::object) key();
        value();
        skip_space();
        ++size;
      } while (accept(','));
      if (!accept(closing)) invalid("expected a comma or the end of what holds it");
    }
    json_.nodes_[self].end = json_.nodes_.size();
    json_.nodes_[self].size = size;
    if (type == Type::object) check_keys(self);
    --depth_;
  }

  void key() {
    if (peek() != '"') invalid("expected a key");
    string();
    skip_space();
    if (!accept(':')) invalid("expected a colon");
    skip_space();
  }

  // Sorted, for a file may have a million keys, and no hash is safe from one made against it.
  void check_keys(std::size_t object) const {
    std::vector<std::string_view> keys;
    JsonValue(json_, object).for_members([&](std::string_view key, const JsonValue&) {
      keys.push_back(key);
    });
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) refuse(where_, "key " + quoted(*twice) + " occurs twice");
  }

  bool digits() {
    const std::size_t begin = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ != begin;
  }

  void number() {
    const std::size_t begin = at_;
    const bool negative = accept('-');
    if (negative && accept("Infinity")) refuse(where_, "numbers must be finite");
    const std::size_t first = at_;
    if (!accept('0') && !digits()) invalid("expected a digit");
    const std::string_view integer = text_.substr(first, at_ - first);
    bool real = false;
    if (accept('.')) {
      real = true;
      if (!digits()) invalid("expected a digit");
    }
    if (accept('e') || accept('E')) {
      real = true;
      if (!accept('+')) accept('-');
      if (!digits()) invalid("expected a digit");
    }
    if (real) return add_real(text_.substr(begin, at_ - begin));
    add_integer(negative, integer);
  }

  void add_real(std::string_view text) {
    const double x = to_double(text);
    if (!std::isfinite(x))
      refuse(where_, "the number " + std::string(text.substr(0, 40)) + " is too large");
    json_.nodes_[add(Type::real)].real = x;
  }

  void add_integer(bool negative, std::string_view text) {
    if (text.size() > integer_digits)
      refuse(where_, "an integer of " + std::to_string(text.size()) + " digits is too large");
    std::uint64_t magnitude = 0;
    for (const char c : text) magnitude = 10 * magnitude + static_cast<unsigned>(c - '0');
    json_.nodes_[add(Type::integer, negative)].magnitude = magnitude;
  }

  void string() {
    ++at_;
    const std::size_t self = add(Type::string), begin = json_.strings_.size();
    while (!accept('"')) {
      if (at_ == text_.size()) invalid("a string does not end");
      const char c = text_[at_++];
      if (static_cast<unsigned char>(c) < 0x20) invalid("a control character in a string");
      if (c == '\\') {
        escape();
      } else {
        json_.strings_ += c;
      }
    }
    json_.nodes_[self].text = begin;
    json_.nodes_[self].size = json_.strings_.size() - begin;
  }

  void escape() {
    constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const char c = peek();
    ++at_;
    if (c == 'u') return append_utf8(unicode(), json_.strings_);
    const std::size_t i = letters.find(c);
    if (i == std::string_view::npos) invalid("an unknown escape");
    json_.strings_ += meanings[i];
  }

  char32_t unicode() {
    const char32_t first = four_hex_digits();
    if (first < 0xd800 || first > 0xdfff) return first;
    const char32_t second = first < 0xdc00 && accept("\\u") ? four_hex_digits() : U'\0';
    if (second < 0xdc00 || second > 0xdfff)
      refuse(where_, "a string holds half a character (a lone surrogate)");
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
  }

  char32_t four_hex_digits() {
    char32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int digit = hex_digit(peek());
      if (digit < 0) invalid("expected four hexadecimal digits");
      code = code << 4 | static_cast<char32_t>(digit);
    }
    return code;
  }

  std::string_view text_;
  const std::string& where_;
  Json& json_;
  std::size_t at_ = 0, depth_ = 0;
};

Json::Json(std::string_view text, const std::string& where) {
  JsonParser(text, where, *this).parse();
}

JsonValue::Type JsonValue::type() const { return json_->nodes_[at_].type; }
bool JsonValue::negative() const { return json_->nodes_[at_].flag; }
std::uint64_t JsonValue::magnitude() const { return json_->nodes_[at_].magnitude; }
std::size_t JsonValue::size() const { return json_->nodes_[at_].size; }

std::string_view JsonValue::string() const {
  const Json::Node& node = json_->nodes_[at_];
  return std::string_view(json_->strings_).substr(node.text, node.size);
}

double JsonValue::number() const {
  if (is(Type::real)) return json_->nodes_[at_].real;
  const auto x = static_cast<double>(magnitude());
  return negative() ? -x : x;
}

std::size_t JsonValue::end() const {
  const Json::Node& node = json_->nodes_[at_];
  return node.type == Type::list || node.type == Type::object ? node.end : at_ + 1;
}

std::string JsonValue::show() const {
  switch (type()) {
    case Type::null:
      return "null";
    case Type::boolean:
      return json_->nodes_[at_].flag ? "true" : "false";
    case Type::integer:
      return (negative() ? "-" : "") + std::to_string(magnitude());
    case Type::real:
      return std::to_string(number());
    case Type::string:
      return quoted(string());
    case Type::list:
      return "a list of " + std::to_string(size());
    case Type::object:
      return "an object of " + std::to_string(size());
  }
  return "";
}

}  // namespace bnas
