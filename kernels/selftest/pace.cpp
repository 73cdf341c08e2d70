// Checks when images are shared among threads: not the first ones; after a late one only when a
// number of images has been computed alone, twice as many each time. Exits with 1 where that is not
// so.
#include "core/run/pace.h"

#include <cstdio>

namespace bnas {
namespace {

constexpr Pace::Time alone{1000}, fast{600}, slow{1100};

// How many images are computed alone before one is shared.
int alone_before_sharing(Pace& pace) {
  int count = 0;
  for (; !pace.shares(); ++count) pace.ran_alone(alone);
  return count;
}

int differs(const char* what, int got, int want) {
  if (got == want) return 0;
  std::printf("%s: expected %d images, got %d\n", what, want, got);
  return 1;
}

int check() {
  Pace pace;
  int wrong = differs("at first", alone_before_sharing(pace), 2);
  for (int i = 0; i < 100; ++i) pace.ran_shared(fast, true);
  wrong += differs("all in time", alone_before_sharing(pace), 0);
  pace.ran_shared(fast, false);
  wrong += differs("one was late", alone_before_sharing(pace), 32);
  pace.ran_shared(slow, true);
  wrong += differs("one took longer than alone", alone_before_sharing(pace), 64);
  for (int i = 0; i < 10; ++i) {
    pace.ran_shared(fast, false);
    alone_before_sharing(pace);
  }
  pace.ran_shared(fast, false);
  wrong += differs("always late", alone_before_sharing(pace), 1024);
  for (int i = 0; i < 1024; ++i) pace.ran_shared(fast, true);
  pace.ran_shared(fast, false);
  wrong += differs("many in time since", alone_before_sharing(pace), 32);
  for (int i = 0; i < 200; ++i) pace.ran_alone(slow);  // the clock of the core has slowed down
  pace.ran_shared((alone + slow) / 2, true);
  return wrong + differs("faster than alone is now", alone_before_sharing(pace), 0);
}

}  // namespace
}  // namespace bnas

int main() { return bnas::check() == 0 ? 0 : 1; }
