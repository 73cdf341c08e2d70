// The safetensors container of a .bnn file: metadata, tensors, checksum. The counterpart
// of bnas_deploy/format/container.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "reader/version.h"

namespace bnas {

enum class Dtype { u64, f32, i32, i8 };

const char* name_of(Dtype dtype);

// Bytes of the file, which must outlive it; they need not be aligned.
struct Tensor {
  Dtype dtype;
  std::vector<std::uint64_t> shape;
  const std::uint8_t* data;
  std::uint64_t elements;
};

struct Container {
  Version version;
  std::string program;  // JSON
  std::map<std::string, Tensor, std::less<>> tensors;
};

// Computes bnas.sha256: the SHA-256 of a program's bytes and then its tensors', in hexadecimal.
using Digest = std::string (*)(const std::string& program, const std::uint8_t* data,
                               std::size_t size);

// In portable code.
std::string portable_digest(const std::string& program, const std::uint8_t* data, std::size_t size);

// Without a digest, bnas.sha256 is not compared with the content: the caller has done so or has
// just made it. Throws FormatError: the file is truncated, damaged, of another version, or no .bnn
// file.
Container unpack(const std::uint8_t* blob, std::size_t size, Digest digest);

}  // namespace bnas
