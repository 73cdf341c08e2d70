// A whole file in memory.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace bnas {

// The file is missing, is no file, or cannot be read.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A path in a message: cut where it would leave no room for what is wrong.
std::string shown_path(const char* path);

// Throws FileError; nothing is read of a file that is larger than any .bnn file may be.
std::vector<std::uint8_t> read_file(const char* path);

}  // namespace bnas
