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
    ++job.running;
    lock.unlock();
    job.task(job.argument);
    lock.lock();
    if (--job.running == 0) job_done_.notify_all();
  }
}

void ThreadPool::run(std::size_t helpers, Task task, void* argument) {
  Job job{task, argument, helpers, 0, nullptr};
  if (helpers > 0) {
    const std::lock_guard<std::mutex> lock(mutex_);
    grow(helpers);
    job.next = jobs_;
    jobs_ = &job;
    work_there_.notify_all();
  }
  task(argument);
  if (helpers == 0) return;
  std::unique_lock<std::mutex> lock(mutex_);
  for (Job** link = &jobs_; *link != nullptr; link = &(*link)->next) {
    if (*link != &job) continue;
    *link = job.next;  // helpers that have not begun are no longer wanted
    break;
  }
  job_done_.wait(lock, [&job] { return job.running == 0; });
}

}  // namespace bnas
