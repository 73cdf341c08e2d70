// Any bytes as a file: it is read or refused in words.
#include <cstddef>
#include <cstdint>

#include "reader/error.h"
#include "reader/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const bnas::ModelFile file(data, size);
  } catch (const bnas::FormatError&) {
  }
  return 0;
}
