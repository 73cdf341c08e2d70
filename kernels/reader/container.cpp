#include "reader/container.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "reader/error.h"
#include "reader/fields.h"
#include "reader/json.h"
#include "reader/limits.h"
#include "reader/sha256.h"

namespace bnas {

// Tensors are used as they lie in the file.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

namespace {

constexpr std::size_t length_bytes = 8;

struct KnownDtype {
  const char* name;  // in a file
  const char* plain;
  Dtype dtype;
  std::uint64_t bytes;
};

constexpr KnownDtype dtypes[] = {{"U64", "u64", Dtype::u64, 8},
                                 {"F32", "f32", Dtype::f32, 4},
                                 {"I32", "i32", Dtype::i32, 4},
                                 {"I8", "i8", Dtype::i8, 1}};

[[noreturn]] void refuse_file(const std::string& what) { throw FormatError(what); }

// A tensor's place in the data.
struct Entry {
  std::string name;
  std::uint64_t begin, end;
  Tensor tensor;
  std::uint64_t bytes;  // that dtype and shape ask for
};

std::uint64_t read_length(const std::uint8_t* blob) {
  std::uint64_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) length = length << 8 | blob[i];
  return length;
}

std::string_view header_of(const std::uint8_t* blob, std::size_t size) {
  if (size < length_bytes)
    refuse_file("expected a .bnn file, got " + std::to_string(size) +
                " bytes; it is empty or truncated");
  if (size > file_limit)
    refuse_file("expected at most " + std::to_string(file_limit) + " bytes, got " +
                std::to_string(size) + "; no .bnn file");
  if (std::memcmp(blob, "PK\3\4", 4) == 0)
    refuse_file(
        "expected a .bnn file, got one of PyTorch or a zip; pack a model.pt with bnas-export");
  const std::uint64_t length = read_length(blob);
  if (length > size - length_bytes)
    refuse_file("not a safetensors file, or truncated (its header has " + std::to_string(length) +
                " bytes, the file " + std::to_string(size) + "); copy or export the file again");
  if (length > header_limit)
    refuse("header", "at most " + std::to_string(header_limit) + " bytes are allowed, got " +
                         std::to_string(length));
  return {reinterpret_cast<const char*>(blob) + length_bytes, static_cast<std::size_t>(length)};
}

std::uint64_t product(std::uint64_t a, std::uint64_t b, const std::string& where) {
  std::uint64_t result;
  if (__builtin_mul_overflow(a, b, &result)) refuse(where, "its shape is too large");
  return result;
}

const KnownDtype& dtype_of(std::string_view name, const std::string& where) {
  for (const KnownDtype& known : dtypes) {
    if (name == known.name) return known;
  }
  refuse(where, "has dtype " + quoted(name) + ", expected one of U64, F32, I32, I8");
}

Entry read_entry(std::string_view name, const JsonValue& value) {
  Fields fields(value, "tensor " + quoted(name));
  const KnownDtype& dtype = dtype_of(fields.string("dtype"), fields.where());
  Entry entry{std::string(name), 0, 0, {dtype.dtype, fields.sizes("shape"), nullptr, 1}, 0};
  const std::vector<std::uint64_t> offsets = fields.sizes("data_offsets");
  if (offsets.size() != 2) refuse(fields.where(), "'data_offsets' must be two numbers");
  fields.done();
  entry.begin = offsets[0];
  entry.end = offsets[1];
  for (const std::uint64_t extent : entry.tensor.shape)
    entry.tensor.elements = product(entry.tensor.elements, extent, fields.where());
  entry.bytes = product(entry.tensor.elements, dtype.bytes, fields.where());
  return entry;
}

// The tensors lie one after the other, in some order, and fill the data.
void place(std::vector<Entry>& entries, const std::uint8_t* data, std::uint64_t size) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t at = 0;
  for (Entry& entry : entries) {
    const std::string where = "tensor " + quoted(entry.name);
    if (entry.begin != at || entry.end < entry.begin)
      refuse(where, "lies at " + listed({entry.begin, entry.end}) + ", expected at " +
                        std::to_string(at) + "; not a safetensors file");
    if (entry.end - entry.begin != entry.bytes)
      refuse(where, "has " + std::to_string(entry.end - entry.begin) + " bytes, its shape needs " +
                        std::to_string(entry.bytes));
    if (entry.end > size) refuse(where, "ends behind the file; it is truncated");
    entry.tensor.data = data + at;
    at = entry.end;
  }
  if (at != size)
    refuse_file("not a safetensors file, or truncated (the tensors have " + std::to_string(at) +
                " bytes, the file " + std::to_string(size) + "); copy or export the file again");
}

}  // namespace

std::string portable_digest(const std::string& program, const std::uint8_t* data,
                            std::size_t size) {
  Sha256 sum;
  sum.update(program.data(), program.size());
  sum.update(data, size);
  return sum.hex();
}

const char* name_of(Dtype dtype) {
  for (const KnownDtype& known : dtypes) {
    if (known.dtype == dtype) return known.plain;
  }
  return "";
}

Container unpack(const std::uint8_t* blob, std::size_t size, Digest digest) {
  const std::string_view text = header_of(blob, size);
  const std::uint8_t* data = blob + length_bytes + text.size();
  const std::size_t data_size = size - length_bytes - text.size();
  const Json header(text, "header");
  Container container;
  std::string stated;
  std::vector<Entry> entries;
  bool described = false;
  if (!header.root().is(JsonValue::Type::object)) refuse("header", "expected an object");
  header.root().for_members([&](std::string_view name, const JsonValue& value) {
    if (name != "__metadata__") return entries.push_back(read_entry(name, value));
    Fields metadata(value, "the metadata");
    container.version = parse_version(metadata.string("bnas.version"));
    container.program = metadata.string("bnas.program");
    stated = metadata.string("bnas.sha256");
    metadata.done();
    described = true;
  });
  if (!described)
    refuse_file("the header has no metadata; this is a safetensors file, but not a .bnn file");
  place(entries, data, data_size);
  if (digest != nullptr && stated != digest(container.program, data, data_size))
    refuse_file("the checksum bnas.sha256 is wrong; the file is damaged, copy or export it again");
  for (Entry& entry : entries)
    container.tensors.emplace(std::move(entry.name), std::move(entry.tensor));
  return container;
}

}  // namespace bnas
