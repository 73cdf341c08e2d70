// Any bytes as the JSON of a header.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "reader/error.h"
#include "reader/json.h"

namespace {

// Every question that suits a value, of all that lie in it.
std::size_t look_at(const bnas::JsonValue& value) {
  using Type = bnas::JsonValue::Type;
  std::size_t seen = 1;
  switch (value.type()) {
    case Type::string:
      return seen + value.string().size();
    case Type::integer:
      return seen + (value.negative() ? 1 : 0) + (value.magnitude() != 0 ? 1 : 0);
    case Type::real:
      return seen + (value.number() > 0 ? 1 : 0);
    case Type::object:
      value.for_members([&](std::string_view name, const bnas::JsonValue& member) {
        seen += name.size() + look_at(member);
      });
      return seen;
    default:
      return seen;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const bnas::Json json({reinterpret_cast<const char*>(data), size}, "header");
    look_at(json.root());
  } catch (const bnas::FormatError&) {
  }
  return 0;
}
