// Threads that wait for work and share it with the thread that brings it; started when first
// needed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace bnas {

class ThreadPool {
 public:
  using Task = void (*)(void*);

  ThreadPool() = default;
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Work that is on offer, or under way.
  struct Job {
    Task task = nullptr;
    void* argument = nullptr;
    std::size_t wanted = 0;
    std::atomic<std::size_t> running{0};
    Job* next = nullptr;

    // Whether nobody works on it; once it is withdrawn, that stays so.
    bool idle() const { return running.load(std::memory_order_acquire) == 0; }
  };

  // Lets up to `helpers` threads run the job's task. The job must live until it is withdrawn and
  // idle. Throws std::system_error where there can be no more threads; nothing has begun then.
  void offer(Job& job, std::size_t helpers);

  // Nobody begins after this; those that work on it go on.
  void withdraw(Job& job);

  // Until a withdrawn job is idle.
  void wait(const Job& job);

  // Runs task(argument) on this thread and on up to `helpers` others; returns when all that began
  // have returned. The task must be such that any number of them, one included, does all the work.
  // Any thread may call this.
  void run(std::size_t helpers, Task task, void* argument);

 private:
  void work();
  void grow(std::size_t threads);

  std::mutex mutex_;
  std::condition_variable work_there_, job_done_;
  std::vector<std::thread> threads_;
  Job* jobs_ = nullptr;
  bool stopping_ = false;
};

}  // namespace bnas
