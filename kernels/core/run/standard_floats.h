// Arithmetic as docs/format.md demands it, whatever the caller's thread is set to.
#pragma once

#include <cfenv>

namespace bnas {

// While it lives, this thread rounds to nearest and keeps subnormals: other libraries switch their
// threads, or those that load them, to flush subnormals to zero.
class StandardFloats {
 public:
  StandardFloats() {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~StandardFloats() { std::fesetenv(&before_); }
  StandardFloats(const StandardFloats&) = delete;
  StandardFloats& operator=(const StandardFloats&) = delete;

 private:
  std::fenv_t before_;
};

}  // namespace bnas
