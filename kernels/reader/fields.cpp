#include "reader/fields.h"

#include <utility>

#include "reader/error.h"

namespace bnas {
namespace {

using Type = JsonValue::Type;
constexpr std::uint64_t integer_limit = 2147483647;

}  // namespace

Fields::Fields(const JsonValue& object, std::string where) : where_(std::move(where)) {
  if (!object.is(Type::object)) refuse(where_, "expected an object, got " + object.show());
  object.for_members(
      [this](std::string_view key, const JsonValue& value) { members_.emplace(key, value); });
}

JsonValue Fields::take(const char* key) {
  const auto found = members_.find(key);
  if (found == members_.end()) refuse(where_, "key " + quoted(key) + " is missing");
  read_.insert(found->first);
  return found->second;
}

void Fields::done() const {
  for (const auto& [key, value] : members_) {
    if (read_.count(key) == 0) refuse(where_, "unknown key " + quoted(key));
  }
}

void Fields::refuse_field(const char* key, const std::string& expected) const {
  refuse(where_,
         "field " + quoted(key) + ": expected " + expected + ", got " + members_.at(key).show());
}

std::string_view Fields::string(const char* key) {
  const JsonValue value = take(key);
  if (!value.is(Type::string)) refuse_field(key, "a string");
  return value.string();
}

std::optional<std::string_view> Fields::optional_string(const char* key) {
  const JsonValue value = take(key);
  if (value.is(Type::null)) return std::nullopt;
  if (!value.is(Type::string)) refuse_field(key, "a string or null");
  return value.string();
}

std::vector<JsonValue> Fields::items(const char* key) {
  const JsonValue value = take(key);
  if (!value.is(Type::list)) refuse_field(key, "a list");
  std::vector<JsonValue> items;
  value.for_items([&](const JsonValue& item) { items.push_back(item); });
  return items;
}

std::vector<std::string_view> Fields::strings(const char* key) {
  std::vector<std::string_view> strings;
  for (const JsonValue& item : items(key)) {
    if (!item.is(Type::string)) refuse_field(key, "strings");
    strings.push_back(item.string());
  }
  return strings;
}

std::int64_t Fields::to_integer(const char* key, const JsonValue& value) const {
  if (!value.is(Type::integer)) refuse_field(key, "whole numbers");
  if (value.magnitude() > integer_limit)
    refuse_field(key, "whole numbers of at most " + std::to_string(integer_limit));
  const auto magnitude = static_cast<std::int64_t>(value.magnitude());
  return value.negative() ? -magnitude : magnitude;
}

std::int64_t Fields::integer(const char* key) { return to_integer(key, take(key)); }

std::vector<std::uint64_t> Fields::sizes(const char* key) {
  std::vector<std::uint64_t> sizes;
  for (const JsonValue& item : items(key)) {
    if (!item.is(Type::integer) || item.negative()) refuse_field(key, "whole numbers from 0 on");
    sizes.push_back(item.magnitude());
  }
  return sizes;
}

std::vector<double> Fields::numbers(const char* key) {
  std::vector<double> numbers;
  for (const JsonValue& item : items(key)) {
    if (!item.is(Type::integer) && !item.is(Type::real)) refuse_field(key, "numbers");
    numbers.push_back(item.number());
  }
  return numbers;
}

JsonValue Fields::object(const char* key) {
  const JsonValue value = take(key);
  if (!value.is(Type::object)) refuse_field(key, "an object");
  return value;
}

}  // namespace bnas
