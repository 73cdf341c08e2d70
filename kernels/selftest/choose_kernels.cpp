// Checks the choice of an instruction set on an imagined machine: the best one, one by name, and
// the messages where there is none of that name or it cannot run. Exits with 1 where one is wrong.
#include <cstdio>
#include <stdexcept>
#include <string>

#include "dispatch/dispatch.h"

namespace bnas {
namespace {

Kernels named(const char* name) {
  Kernels kernels{};
  kernels.name = name;
  return kernels;
}

// The name of what is chosen, or the message.
std::string choice(const std::vector<Isa>& known, const char* name) {
  try {
    return choose_among(known, name).name;
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

int differs(const std::string& got, const std::string& want) {
  if (got == want) return 0;
  std::printf("expected: %s\ngot:      %s\n", want.c_str(), got.c_str());
  return 1;
}

}  // namespace
}  // namespace bnas

int main() {
  const bnas::Kernels fast = bnas::named("fast"), good = bnas::named("good"),
                      plain = bnas::named("plain");
  const std::vector<bnas::Isa> known = {{&fast, {"magic", "luck"}}, {&good, {}}, {&plain, {}}};
  int wrong = bnas::differs(bnas::choice(known, nullptr), "good");
  wrong += bnas::differs(bnas::choice(known, "plain"), "plain");
  wrong += bnas::differs(
      bnas::choice(known, "fast"),
      "this machine cannot run fast: it lacks magic, luck; choose one of good, plain");
  wrong += bnas::differs(bnas::choice(known, "go"),
                         "unknown instruction set 'go'; choose one of good, plain");
  return wrong == 0 ? 0 : 1;
}
