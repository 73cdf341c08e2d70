#include "core/run/thread_pool.h"

namespace bnas {

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  work_there_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::grow(std::size_t threads) {
  while (threads_.size() < threads) threads_.emplace_back([this] { work(); });
}

void ThreadPool::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    work_there_.wait(lock, [this] { return stopping_ || jobs_ != nullptr; });
    if (stopping_) return;
    Job& job = *jobs_;
    if (--job.wanted == 0) jobs_ = job.next;
    job.running.fetch_add(1, std::memory_order_relaxed);
    lock.unlock();
    job.task(job.argument);
    lock.lock();
    // Whoever sees that it is idle may reuse it, so this is the last look at it.
    if (job.running.fetch_sub(1, std::memory_order_release) == 1) job_done_.notify_all();
  }
}

void ThreadPool::offer(Job& job, std::size_t helpers) {
  if (helpers == 0) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    grow(helpers);
    job.wanted = helpers;
    job.next = jobs_;
    jobs_ = &job;
  }
  work_there_.notify_all();
}

void ThreadPool::withdraw(Job& job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Job** link = &jobs_; *link != nullptr; link = &(*link)->next) {
    if (*link != &job) continue;
    *link = job.next;
    return;
  }
}

void ThreadPool::wait(const Job& job) {
  std::unique_lock<std::mutex> lock(mutex_);
  job_done_.wait(lock, [&job] { return job.idle(); });
}

void ThreadPool::run(std::size_t helpers, Task task, void* argument) {
  Job job;
  job.task = task;
  job.argument = argument;
  offer(job, helpers);
  task(argument);
  if (helpers == 0) return;
  withdraw(job);
  wait(job);
}

}  // namespace bnas
