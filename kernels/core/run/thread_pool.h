// Threads that wait for work and share it with the thread that brings it; started when first
// needed.
#pragma once

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

  // Runs task(argument) on this thread and on up to `helpers` others; returns when all that began
  // have returned. The task must be such that any number of them, one included, does all the work.
  // Any thread may call this.
  void run(std::size_t helpers, Task task, void* argument);

 private:
  struct Job {
    Task task;
    void* argument;
    std::size_t wanted, running;
    Job* next;
  };

  void work();
  void grow(std::size_t threads);

  std::mutex mutex_;
  std::condition_variable work_there_, job_done_;
  std::vector<std::thread> threads_;
  Job* jobs_ = nullptr;
  bool stopping_ = false;
};

}  // namespace bnas
