#include "reader/limits.h"

#include "reader/error.h"

namespace bnas {
namespace {

constexpr std::uint64_t element_work = 256;  // of an element read or written

void require_most(const std::string& where, std::uint64_t count, unsigned power, const char* what) {
  if (count > std::uint64_t{1} << power)
    refuse(where, "a program may have 2^" + std::to_string(power) + " " + what +
                      ", up to here it has more");
}

}  // namespace

void Work::add(const Count& count) {
  sum_.weights += count.weights;
  sum_.terms += count.terms;
  sum_.positions += count.positions;
  sum_.work += count.work;
}

void Work::add_use(std::uint64_t elements) {
  ++uses_;
  sum_.work += elements * element_work;
}

void Work::check(const std::string& where) const {
  require_most(where, uses_, 17, "uses of values");
  require_most(where, sum_.weights, 28, "weights");
  require_most(where, sum_.terms, 24, "terms");
  require_most(where, sum_.positions, 28, "positions");
  require_most(where, sum_.work, 40, "units of work");
}

}  // namespace bnas
