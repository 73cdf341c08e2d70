#include "reader/limits.h"

#include "reader/error.h"

namespace bnas {
namespace {

void add(const std::string& where, const char* what, std::uint64_t count, unsigned power,
         std::uint64_t& sum) {
  sum += count;
  if (sum > std::uint64_t{1} << power)
    refuse(where, "a program may have 2^" + std::to_string(power) + " " + what +
                      ", up to here it has more");
}

}  // namespace

void Work::add_weights(const std::string& where, std::uint64_t weights) {
  add(where, "weights", weights, 28, weights_);
}

void Work::add_windows(const std::string& where, std::uint64_t positions,
                       std::uint64_t operations) {
  add(where, "positions", positions, 30, positions_);
  add(where, "operations", operations, 40, operations_);
}

}  // namespace bnas
