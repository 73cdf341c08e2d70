// Versions of the format: how a file states its own, and which are read. The counterpart of
// bnas_deploy/format/version.py.
#pragma once

#include <string>
#include <string_view>

namespace bnas {

struct Version {
  unsigned major, minor;
};

inline bool operator<(const Version& a, const Version& b) {
  return a.major != b.major ? a.major < b.major : a.minor < b.minor;
}

std::string text_of(const Version& version);

// The version that a file states. Throws FormatError where it is none, of another major version, or
// newer than the newest step of steps/*.cpp.
Version parse_version(std::string_view text);

}  // namespace bnas
