#include "reader/file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "reader/error.h"
#include "reader/limits.h"

namespace bnas {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

#if defined(_WIN32)  // whose `struct stat` has 32 bits for sizes
using FileInfo = struct __stat64;
int ask(const char* path, FileInfo& info) { return _stat64(path, &info); }
#else
using FileInfo = struct stat;
int ask(const char* path, FileInfo& info) { return stat(path, &info); }
#endif

[[noreturn]] void refuse_file(const char* path, const std::string& what) {
  throw FileError(shown_path(path) + ": " + what);
}

}  // namespace

std::string shown_path(const char* path) {
  constexpr std::size_t most = 200;
  const std::string_view shown = cut(path, most);
  return std::string(shown) + (path[shown.size()] == '\0' ? "" : "...");
}

std::vector<std::uint8_t> read_file(const char* path) {
  FileInfo info{};
  // Asked before it is opened, for opening a pipe would wait.
  if (ask(path, info) != 0)
    refuse_file(path, std::string("the file cannot be read (") + std::strerror(errno) +
                          "); give the path of a .bnn file made by bnas-export");
  if ((info.st_mode & S_IFMT) != S_IFREG)
    refuse_file(path, "expected a .bnn file, this is a directory or a device");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > file_limit)
    refuse(shown_path(path), "expected at most " + std::to_string(file_limit) + " bytes, got " +
                                 std::to_string(size) + "; no .bnn file");
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path, "rb"));
  if (file == nullptr)
    refuse_file(path, std::string("the file cannot be read (") + std::strerror(errno) + ")");
  std::vector<std::uint8_t> content(static_cast<std::size_t>(size));
  if (std::fread(content.data(), 1, content.size(), file.get()) != content.size())
    refuse_file(path, "the file cannot be read to its end");
  return content;
}

}  // namespace bnas
