#include "reader/steps/scope.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace bnas {
namespace {

constexpr std::uint64_t word_bits = 64;

const char* name_of(Kind kind) { return kind == Kind::bits ? "bits" : "f32"; }

// Whether the bits of each row beyond its first `bits` are zero.
bool padding_is_zero(const Array<std::uint64_t>& words, std::uint64_t per_row, std::uint64_t bits) {
  const std::uint64_t used = bits % word_bits;
  if (used == 0) return true;
  for (std::uint64_t i = per_row - 1; i < words.size; i += per_row) {
    if (words.data[static_cast<std::size_t>(i)] >> used != 0) return false;
  }
  return true;
}

}  // namespace

void Scope::end_step() {
  for (NamedValue* value : assigned) value->assigned = true;
  assigned.clear();
}

void StepReader::require(bool good, const std::string& message) const {
  if (!good) refuse(where(), message);
}

StepReader::Value StepReader::look_up(const char* field, std::string_view name, Kind kind) {
  const auto found = scope_.values.find(name);
  require(found != scope_.values.end() && found->second.assigned,
          "field " + quoted(field) + " reads the value " + quoted(name) +
              ", which no earlier step assigns");
  NamedValue& value = found->second;
  require(value.kind == kind, "field " + quoted(field) + " needs a value of kind " + name_of(kind) +
                                  ", " + quoted(name) + " is " + name_of(value.kind));
  value.read = true;
  scope_.work.add_use(held(value.shape));
  return {value.id, value.shape};
}

StepReader::Value StepReader::value(const char* field, Kind kind) {
  return look_up(field, string(field), kind);
}

std::optional<StepReader::Value> StepReader::optional_value(const char* field, Kind kind) {
  const auto name = optional_string(field);
  if (!name) return std::nullopt;
  return look_up(field, *name, kind);
}

std::vector<StepReader::Value> StepReader::values(const char* field, Kind kind) {
  std::vector<Value> values;
  for (const std::string_view name : strings(field)) values.push_back(look_up(field, name, kind));
  return values;
}

ValueId StepReader::assign(Kind kind, const Shape& shape) {
  const std::string_view name = string("output");
  const auto found = scope_.values.find(name);
  require(found != scope_.values.end(),
          "assigns " + quoted(name) + ", which 'values' does not declare");
  NamedValue& value = found->second;
  require(!value.taken, "assigns " + quoted(name) + ", which has a value already");
  require(value.kind == kind && value.shape == shape,
          "assigns " + quoted(name) + " " + name_of(kind) + " " + text_of(shape) +
              ", declared as " + name_of(value.kind) + " " + text_of(value.shape));
  value.taken = true;
  scope_.work.add_use(held(shape));
  scope_.assigned.push_back(&value);
  return value.id;
}

const Tensor& StepReader::tensor(const char* field, std::string_view name, Dtype dtype) {
  const auto found = scope_.tensors.find(name);
  require(found != scope_.tensors.end(), "field " + quoted(field) + " names the tensor " +
                                             quoted(name) + ", which the file does not hold");
  require(found->second.dtype == dtype, "field " + quoted(field) + ": tensor " + quoted(name) +
                                            " must have dtype " + bnas::name_of(dtype) + ", got " +
                                            bnas::name_of(found->second.dtype));
  scope_.used.insert(found->first);
  return found->second;
}

const Tensor& StepReader::tensor(const char* field, Dtype dtype) {
  return tensor(field, string(field), dtype);
}

const Tensor& StepReader::shaped(const char* field, std::string_view name, Dtype dtype,
                                 const Dimensions& shape) {
  const Tensor& found = tensor(field, name, dtype);
  require(found.shape == shape, "field " + quoted(field) + ": tensor " + quoted(name) +
                                    " must have shape " + listed(shape) + ", got " +
                                    listed(found.shape));
  return found;
}

Array<float> StepReader::floats(const char* field, std::string_view name, const Dimensions& shape) {
  const auto all = elements<float>(shaped(field, name, Dtype::f32, shape));
  require(std::all_of(all.data, all.data + all.size, [](float x) { return std::isfinite(x); }),
          "field " + quoted(field) + ": tensor " + quoted(name) + " holds NaN or infinity");
  return all;
}

Array<float> StepReader::floats(const char* field, const Dimensions& shape) {
  return floats(field, string(field), shape);
}

Array<float> StepReader::optional_floats(const char* field, const Dimensions& shape) {
  const auto name = optional_string(field);
  return name ? floats(field, *name, shape) : Array<float>{};
}

Array<float> StepReader::any_floats(const char* field, const Dimensions& shape) {
  return elements<float>(shaped(field, string(field), Dtype::f32, shape));
}

Array<float> StepReader::thresholds(const char* field, const Dimensions& shape) {
  const auto all = any_floats(field, shape);
  require(std::none_of(all.data, all.data + all.size, [](float x) { return std::isnan(x); }),
          "field " + quoted(field) + " holds NaN");
  return all;
}

Array<std::int32_t> StepReader::int32s(const char* field, const Dimensions& shape) {
  return elements<std::int32_t>(shaped(field, string(field), Dtype::i32, shape));
}

Array<std::int32_t> StepReader::optional_int32s(const char* field, const Dimensions& shape) {
  const auto name = optional_string(field);
  if (!name) return {};
  return elements<std::int32_t>(shaped(field, *name, Dtype::i32, shape));
}

Array<std::uint64_t> StepReader::packed(const char* field, const Dimensions& rows,
                                        std::uint64_t bits) {
  return packed(field, string(field), rows, bits);
}

Array<std::uint64_t> StepReader::optional_packed(const char* field, const Dimensions& rows,
                                                 std::uint64_t bits) {
  const auto name = optional_string(field);
  return name ? packed(field, *name, rows, bits) : Array<std::uint64_t>{};
}

Array<std::uint64_t> StepReader::packed(const char* field, std::string_view name, Dimensions rows,
                                        std::uint64_t bits) {
  const std::uint64_t words = ceil_divide(bits, word_bits);
  rows.push_back(words);
  const auto all = elements<std::uint64_t>(shaped(field, name, Dtype::u64, rows));
  require(
      padding_is_zero(all, words, bits),
      "field " + quoted(field) + " has bits set beyond the " + std::to_string(bits) + " of a row");
  return all;
}

bool StepReader::relu() {
  const std::string_view name = string("activation");
  require(name == "none" || name == "relu",
          "field 'activation' must be none or relu, got " + quoted(name));
  return name == "relu";
}

void StepReader::require_since(const Version& since, const std::string& what) const {
  require(!(scope_.version < since), what + " came with version " + bnas::text_of(since) +
                                         ", the file says " + bnas::text_of(scope_.version) +
                                         "; it was not written by bnas-deploy");
}

}  // namespace bnas
