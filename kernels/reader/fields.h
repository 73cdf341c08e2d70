// The fields of one JSON object, each read by its type; every one must be read, and none may be
// missing. The counterpart of bnas_deploy/format/codec.py.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reader/json.h"

namespace bnas {

class Fields {
 public:
  // Throws FormatError where it is no object, as do all below.
  Fields(const JsonValue& object, std::string where);

  const std::string& where() const { return where_; }
  void rename(std::string where) { where_ = std::move(where); }

  std::string_view string(const char* key);
  std::optional<std::string_view> optional_string(const char* key);
  std::vector<std::string_view> strings(const char* key);
  std::int64_t integer(const char* key);  // at most 2^31 - 1 in magnitude
  template <std::size_t count>
  std::array<std::int64_t, count> integers(const char* key) {
    std::array<std::int64_t, count> numbers;
    const std::vector<JsonValue> list = items(key);
    if (list.size() != count) refuse_field(key, std::to_string(count) + " whole numbers");
    for (std::size_t i = 0; i < count; ++i) numbers[i] = to_integer(key, list[i]);
    return numbers;
  }
  std::vector<std::uint64_t> sizes(const char* key);  // not negative
  std::vector<double> numbers(const char* key);
  std::vector<JsonValue> items(const char* key);
  JsonValue object(const char* key);

  // All fields have been read: any other is unknown.
  void done() const;

 private:
  JsonValue take(const char* key);
  [[noreturn]] void refuse_field(const char* key, const std::string& expected) const;
  std::int64_t to_integer(const char* key, const JsonValue& value) const;

  std::string where_;
  std::map<std::string_view, JsonValue> members_;
  std::set<std::string_view> read_;
};

}  // namespace bnas
