// Waiting for another thread: by spinning, and either letting others run in the end or giving up.
#pragma once

#include <chrono>

namespace bnas {

// Tells the core that this is a loop that waits.
void pause_briefly();

// Of one who waits as long as it takes: spins for some tens of microseconds, then lets others run.
class Spin {
 public:
  void pause();

 private:
  unsigned pauses_ = 0;
};

// Of one who would rather not wait: spins at most so long.
class Wait {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::duration;

  explicit Wait(Time most) : most_(most) {}

  // Returns whether there() has become true.
  template <class Condition>
  bool until(Condition there) const {
    if (there()) return true;
    const auto end = Clock::now() + most_;
    do {
      for (int i = 0; i < pauses_a_look; ++i) {
        pause_briefly();
        if (there()) return true;
      }
    } while (Clock::now() < end);
    return there();
  }

 private:
  static constexpr int pauses_a_look = 16;

  Time most_;
};

}  // namespace bnas
