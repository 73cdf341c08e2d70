// What one step of a program may look up and assign while it is read: values by name, tensors of
// the right type and shape. The counterpart of bnas_deploy/format/scope.py; the rules of each step
// are in the files beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/build/spec.h"
#include "core/tables.h"
#include "reader/container.h"
#include "reader/error.h"
#include "reader/fields.h"
#include "reader/limits.h"

namespace bnas {

struct Shape {
  std::size_t channels, height, width;
};

inline bool operator==(const Shape& a, const Shape& b) {
  return a.channels == b.channels && a.height == b.height && a.width == b.width;
}

inline std::string text_of(const Shape& s) { return listed({s.channels, s.height, s.width}); }

// Elements, each channel filled up to whole vectors: backends keep channels apart by them.
inline std::uint64_t held(const Shape& s) {
  constexpr std::uint64_t vector = 16;
  return s.channels * ceil_divide(std::uint64_t{s.height} * s.width, vector) * vector;
}

using Dimensions = std::vector<std::uint64_t>;
using Tensors = std::map<std::string, Tensor, std::less<>>;

// A value of the program, numbered as the engine numbers it.
struct NamedValue {
  Kind kind;
  Shape shape;
  ValueId id;
  bool taken = false;     // by a step, maybe that which is being read
  bool assigned = false;  // by an earlier step, or the input
  bool read = false;
};

// What the steps share.
struct Scope {
  const Tensors& tensors;
  Version version;  // of the file
  std::map<std::string_view, NamedValue> values{};
  std::set<std::string_view> used{};    // tensors
  std::vector<NamedValue*> assigned{};  // by the step that is being read
  Work work{};
  Tables copies{};  // of tensors that are not aligned in the file

  // The step is complete: those after it may read what it assigns.
  void end_step();
};

// The fields of one step, or of one stage of it.
class StepReader : public Fields {
 public:
  StepReader(const JsonValue& object, std::string where, Scope& scope)
      : Fields(object, std::move(where)), scope_(scope) {}

  struct Value {
    ValueId id;
    Shape shape;
  };

  // Values that earlier steps have assigned.
  Value value(const char* field, Kind kind);
  std::optional<Value> optional_value(const char* field, Kind kind);
  std::vector<Value> values(const char* field, Kind kind);
  // The value of the field `output`, which must be declared like this.
  ValueId assign(Kind kind, const Shape& shape);

  // Tensors of one dtype; `shape` says which, or any.
  const Tensor& tensor(const char* field, Dtype dtype);
  Array<float> floats(const char* field, const Dimensions& shape);  // finite
  Array<float> optional_floats(const char* field, const Dimensions& shape);
  Array<float> thresholds(const char* field, const Dimensions& shape);  // no NaN
  Array<float> any_floats(const char* field, const Dimensions& shape);
  Array<std::int32_t> int32s(const char* field, const Dimensions& shape);
  Array<std::int32_t> optional_int32s(const char* field, const Dimensions& shape);
  // Rows of `bits` bits, the padding zero; `rows` is empty for a single one.
  Array<std::uint64_t> packed(const char* field, const Dimensions& rows, std::uint64_t bits);
  Array<std::uint64_t> optional_packed(const char* field, const Dimensions& rows,
                                       std::uint64_t bits);
  template <class T>
  Array<T> elements(const Tensor& tensor) {
    const auto address = reinterpret_cast<std::uintptr_t>(tensor.data);
    const auto count = static_cast<std::size_t>(tensor.elements);
    const void* data = tensor.data;
    if (address % alignof(T) != 0) data = scope_.copies.copy(tensor.data, count * sizeof(T));
    return {static_cast<const T*>(data), count};
  }

  bool relu();  // the field `activation`

  // Something of the step came with that version.
  void require_since(const Version& since, const std::string& what) const;

  Scope& scope() { return scope_; }
  void require(bool good, const std::string& message) const;

 private:
  Value look_up(const char* field, std::string_view name, Kind kind);
  const Tensor& tensor(const char* field, std::string_view name, Dtype dtype);
  const Tensor& shaped(const char* field, std::string_view name, Dtype dtype,
                       const Dimensions& shape);
  Array<float> floats(const char* field, std::string_view name, const Dimensions& shape);
  Array<std::uint64_t> packed(const char* field, std::string_view name, Dimensions rows,
                              std::uint64_t bits);

  Scope& scope_;
};

}  // namespace bnas
