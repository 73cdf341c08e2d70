#include "reader/version.h"

#include <cstddef>

#include "reader/error.h"
#include "reader/steps/steps.h"

namespace bnas {
namespace {

constexpr unsigned none = ~0U;

// The number at the beginning of a text, which is taken off, or `none`.
unsigned parse_part(std::string_view& text) {
  constexpr std::size_t most = 6;
  unsigned number = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (digits == most) return none;
    number = 10 * number + static_cast<unsigned>(text[digits] - '0');
  }
  text.remove_prefix(digits);
  return digits == 0 ? none : number;
}

}  // namespace

std::string text_of(const Version& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

Version parse_version(std::string_view text) {
  const Version newest = newest_version();
  std::string_view rest = text;
  const unsigned major = parse_part(rest);
  const bool point = !rest.empty() && rest.front() == '.';
  if (point) rest.remove_prefix(1);
  const unsigned minor = parse_part(rest);
  if (!point || major == none || minor == none || !rest.empty())
    throw FormatError("bnas.version must look like " + text_of(newest) + ", got " + quoted(text));
  const Version version{major, minor};
  if (major != newest.major || newest < version)
    throw FormatError("the file has format version " + text_of(version) + ", this program reads " +
                      text_of(newest) +
                      (newest < version ? "; update bnas-deploy" : "; export the network again"));
  return version;
}

}  // namespace bnas
