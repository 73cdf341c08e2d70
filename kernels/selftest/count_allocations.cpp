// Counts what Model::run allocates once it has run before: nothing, on one thread or several, for
// one image or many, alone or beside other callers. Every operator new of the program is counted,
// the kernels' and the standard library's. Exits with 1 where there was one.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "dispatch/dispatch.h"
#include "selftest/random_model.h"

namespace {

std::atomic<std::size_t> allocations{0};

constexpr auto usual = std::align_val_t{alignof(std::max_align_t)};

void* counted_or_null(std::size_t bytes, std::align_val_t align) noexcept {
  ++allocations;
  const auto alignment = static_cast<std::size_t>(align);
  // aligned_alloc wants a multiple of the alignment.
  return std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
}

void* counted(std::size_t bytes, std::align_val_t align) {
  void* memory = counted_or_null(bytes, align);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The forms for arrays end up here too. Those without exceptions do so in the standard library, but
// not in that of a sanitizer, which would find memory freed by another allocator than its own.
void* operator new(std::size_t bytes) { return counted(bytes, usual); }
void* operator new(std::size_t bytes, std::align_val_t align) { return counted(bytes, align); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return counted_or_null(bytes, usual);
}
void* operator new[](std::size_t bytes) { return counted(bytes, usual); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return counted_or_null(bytes, usual);
}
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace bnas {
namespace {

constexpr std::size_t batches[] = {1, 2, 7};
constexpr std::size_t threads[] = {1, 2};
constexpr int rounds = 3;
constexpr int callers = 2;

// Images and room for the logits of the largest batch.
struct Buffers {
  std::vector<float> images, logits;
};

void run_batches(Model& model, Buffers& buffers) {
  for (int round = 0; round < rounds; ++round) {
    for (const std::size_t batch : batches) {
      for (const std::size_t count : threads)
        model.run(buffers.images.data(), batch, buffers.logits.data(), count);
    }
  }
}

// Until as many contexts exist as runs can hold at a time: those of each caller's run, and as many
// of images that a thread of theirs has not left yet. A run takes all its contexts before any work;
// how many callers meet is up to the scheduler, so they are held together here.
void warm_up(Model& model, const Buffers& buffers) {
  const std::vector<float>& images = buffers.images;
  std::vector<std::unique_ptr<Model::Execution>> held;
  const std::size_t most = *std::max_element(std::begin(threads), std::end(threads));
  for (std::size_t i = 0; i < 2 * callers * most; ++i)
    held.push_back(std::make_unique<Model::Execution>(model, images.data()));
}

std::size_t count_in_runs(Model& model, std::vector<Buffers>& buffers) {
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> running;
  for (int i = 0; i < callers; ++i) {
    running.emplace_back([&, i] {
      run_batches(model, buffers[static_cast<std::size_t>(i)]);  // starts the pool's threads
      ++ready;
      while (!go) std::this_thread::yield();
      run_batches(model, buffers[static_cast<std::size_t>(i)]);
      --ready;
      while (go) std::this_thread::yield();
    });
  }
  while (ready != callers) std::this_thread::yield();
  const std::size_t before = allocations;
  go = true;
  while (ready != 0) std::this_thread::yield();
  const std::size_t after = allocations;
  go = false;
  for (std::thread& thread : running) thread.join();
  return after - before;
}

std::size_t count_for(const Kernels& kernels) {
  std::size_t count = 0;
  for (unsigned seed = 0; seed < 5; ++seed) {
    const std::unique_ptr<Model> model = random_model(kernels, seed);
    Random random(~seed);
    const std::size_t most = *std::max_element(std::begin(batches), std::end(batches));
    const Buffers one{floats(random, most * model->image_size()),
                      std::vector<float>(most * model->classes())};
    std::vector<Buffers> buffers(callers, one);
    warm_up(*model, one);
    count += count_in_runs(*model, buffers);
  }
  std::printf("%s: %zu allocations in runs\n", kernels.name, count);
  return count;
}

}  // namespace
}  // namespace bnas

int main() {
  std::size_t count = 0;
  for (const bnas::Isa& isa : bnas::isas()) {
    if (isa.missing.empty()) count += bnas::count_for(*isa.kernels);
  }
  if (allocations == 0) {
    std::puts("nothing is counted: operator new was not replaced");
    return 1;
  }
  return count == 0 ? 0 : 1;
}
