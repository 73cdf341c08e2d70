// State with locks and threads, which a forked child must not take over from its parent: the child
// gets its own when it first asks.
#pragma once

#if !defined(_WIN32)
#include <unistd.h>
#endif

#include <atomic>
#include <memory>

namespace bnas {

#if defined(_WIN32)
inline int current_process() { return 0; }  // Windows has no forks: a process never becomes another
#else
inline int current_process() { return getpid(); }
#endif

template <class T>
class PerProcess {
 public:
  PerProcess() = default;
  PerProcess(const PerProcess&) = delete;
  PerProcess& operator=(const PerProcess&) = delete;

  // A parent's state is left alone: its threads do not exist here, so that waiting for them, or for
  // a lock that one of them held, would never end.
  ~PerProcess() {
    const Owned* last = owned_.load();
    if (last != nullptr && last->process == current_process()) delete last;
  }

  // This process's state; threads that ask for the first time together agree on one.
  T& get() {
    Owned* seen = owned_.load();
    if (seen != nullptr && seen->process == current_process()) return seen->state;
    auto fresh = std::make_unique<Owned>();
    if (!owned_.compare_exchange_strong(seen, fresh.get())) return seen->state;
    return fresh.release()->state;
  }

 private:
  struct Owned {
    int process = current_process();
    T state{};
  };

  std::atomic<Owned*> owned_{nullptr};
};

}  // namespace bnas
