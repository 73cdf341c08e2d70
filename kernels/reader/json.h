// JSON read with suspicion, as bnas_deploy/format/strict_json.py does.
//
// Refused: text that is no JSON or not UTF-8, nesting of more than 100, a key that occurs twice in
// an object, numbers that are not finite, integers of more than 19 digits, lone surrogates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bnas {

class Json;

// One value of a parsed text, which must outlive it. A question that does not suit its type must
// not be asked.
class JsonValue {
 public:
  enum class Type : std::uint8_t { null, boolean, integer, real, string, list, object };

  JsonValue(const Json& json, std::size_t at) : json_(&json), at_(at) {}

  Type type() const;
  bool is(Type type) const { return this->type() == type; }
  std::string_view string() const;
  // Integers: their sign (-0 has one, too) and magnitude, which 19 digits keep below 2^64.
  bool negative() const;
  std::uint64_t magnitude() const;
  // Of an integer or a real number, rounded once.
  double number() const;
  // Items of a list, members of an object.
  std::size_t size() const;

  // Calls each(item) for the items of a list.
  template <class Each>
  void for_items(Each each) const {
    JsonValue item(*json_, at_ + 1);
    for (std::size_t i = 0; i < size(); ++i, item.at_ = item.end()) each(item);
  }
  // Calls each(key, value) for the members of an object, in order.
  template <class Each>
  void for_members(Each each) const {
    JsonValue key(*json_, at_ + 1);
    for (std::size_t i = 0; i < size(); ++i) {
      const JsonValue value(*json_, at_of_value(key));
      each(key.string(), value);
      key.at_ = value.end();
    }
  }

  // For messages: short, and never the content of lists and objects.
  std::string show() const;

 private:
  static std::size_t at_of_value(const JsonValue& key) { return key.at_ + 1; }
  std::size_t end() const;

  const Json* json_;
  std::size_t at_;
};

class Json {
 public:
  // `where` names the text in messages. Throws FormatError.
  Json(std::string_view text, const std::string& where);
  Json(const Json&) = delete;
  Json& operator=(const Json&) = delete;

  JsonValue root() const { return {*this, 0}; }

 private:
  friend class JsonValue;
  friend class JsonParser;

  // Values in the order of the text; a list or an object is followed by what it holds, a member by
  // its key and its value.
  struct Node {
    JsonValue::Type type;
    bool flag;  // true; a negative number
    union {
      std::uint64_t magnitude;
      double real;
      std::size_t text;  // where a string begins in strings_
      std::size_t end;   // list, object: the node behind it
    };
    std::size_t size;  // bytes of a string, items, members
  };

  std::vector<Node> nodes_;
  std::string strings_;
};

}  // namespace bnas
