// Threads that work on one image together, step by step.
//
// One of them leads: it offers each step in shares, takes part, and waits until all shares are
// done, but not long: the system may have put another thread's core to other work, for
// milliseconds. The others may come at any time, or never: who is free takes its own share first
// (so that a core finds in its cache what it wrote), then those nobody has taken. They wait by
// spinning, but only while the image is being computed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/run/wait.h"
#include "core/steps.h"

namespace bnas {

class Team {
 public:
  static constexpr std::size_t most = 32;  // members: a share is a bit

  // A new image for so many; nobody may be left from the one before.
  void begin(std::size_t members);

  // A number from 1 for each thread that joins the leader.
  std::size_t join() { return joined_.fetch_add(1, std::memory_order_relaxed); }

  // Leader: does `units` units of work with whoever is there. work(Range) does some of them.
  // Returns whether they are done: not so if someone who took a share is not back after `patience`.
  // Then nothing that the step writes may be used, and the image is lost.
  template <class Work>
  bool lead(std::size_t step, std::size_t units, Wait::Time patience, Work work) {
    const std::size_t shares = units < members_ ? units : members_;
    if (shares <= 1) {
      work(Range{0, units});
      return true;
    }
    units_ = units;
    done_.store(0, std::memory_order_relaxed);
    offer_.store(offer_of(step, shares), std::memory_order_release);
    take_shares(step, 0, work);
    return Wait(patience).until([&] { return done_.load(std::memory_order_acquire) == shares; });
  }

  // Leader: no step will follow.
  void finish() { offer_.store(finished, std::memory_order_release); }

  // Any other: takes part until the leader has finished. work(step, Range) does units of a step.
  template <class Work>
  void follow(std::size_t member, Work work) {
    std::uint64_t last = 0;
    for (Spin spin;;) {
      const std::uint64_t offer = offer_.load(std::memory_order_acquire) >> 32;
      if (offer == finished >> 32) return;
      if (offer == last) {
        spin.pause();
        continue;
      }
      last = offer;
      const auto step = static_cast<std::size_t>(offer - 1);
      take_shares(step, member, [&](Range range) { work(step, range); });
      spin = Spin();
    }
  }

 private:
  static constexpr std::uint64_t finished = ~std::uint64_t{0}, all_taken = 0xffffffff;

  // Where a share begins.
  std::size_t share(std::size_t index, std::size_t shares) const {
    return static_cast<std::size_t>(std::uint64_t{units_} * index / shares);
  }

  static std::uint64_t offer_of(std::size_t step, std::size_t shares);

  // Takes share `index` of a step, unless another has it or the step is over.
  bool take(std::size_t step, std::size_t index);

  template <class Work>
  void take_shares(std::size_t step, std::size_t member, Work work) {
    for (std::size_t i = 0; i < members_; ++i) {
      const std::size_t index = (member + i) % members_;
      if (!take(step, index)) continue;
      const std::size_t shares = units_ < members_ ? units_ : members_;
      work(Range{share(index, shares), share(index + 1, shares)});
      done_.fetch_add(1, std::memory_order_release);
    }
  }

  std::size_t members_ = 1;
  std::size_t units_ = 0;  // of the step on offer
  std::atomic<std::size_t> joined_{1};
  alignas(64) std::atomic<std::uint64_t> offer_{0};  // step + 1, and a bit for each share taken
  alignas(64) std::atomic<std::size_t> done_{0};
};

}  // namespace bnas
