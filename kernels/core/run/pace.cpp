#include "core/run/pace.h"

#include <algorithm>

namespace bnas {

void Pace::ran_alone(Time took) {
  // A little more each time, so that it follows where the clock of the core has slowed down.
  alone_ = alone_ == Time{} ? took : std::min(took, alone_ + alone_ / 64);
  if (alone_left_ > 0) --alone_left_;
}

void Pace::ran_shared(Time took, bool in_time) {
  if (in_time && took <= alone_) {
    if (++in_time_ >= penalty_) penalty_ = fewest;
    return;
  }
  in_time_ = 0;
  alone_left_ = penalty_;
  penalty_ = std::min(2 * penalty_, most);
}

}  // namespace bnas
