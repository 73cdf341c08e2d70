// Threads that are late, on purpose: kernels sleep in a thread that helps another with its image.
// The logits must be those of one thread, also while such a thread is still away, and a model may
// be destroyed meanwhile. Exits with 1 where logits differ, or where nobody was late.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "dispatch/dispatch.h"
#include "selftest/random_model.h"

namespace bnas {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t threads = 3, images = 2, callers = 2;
constexpr int waits_at_most = 50, runs_after = 40;
constexpr milliseconds away{20}, a_look{1};

const Kernels* real = nullptr;
thread_local bool leads = false;
std::atomic<bool> armed{false};  // the next thread that helps is late
std::atomic<int> late{0}, back{0};
int without_it = 0;  // runs that ended while a helper was away

// Before a kernel's work: helpers sleep once; who leads gives them time to take a share.
void delay() {
  if (!leads) {
    if (!armed.exchange(false)) return;
    ++late;
    std::this_thread::sleep_for(away);
    ++back;
    return;
  }
  for (int i = 0; armed && i < waits_at_most; ++i) std::this_thread::sleep_for(a_look);
}

template <class Step, Kernel<Step> Kernels::* kernel>
void delayed(const Step& step, const Frame& frame, Range range) {
  delay();
  (real->*kernel)(step, frame, range);
}

Kernels delayed_kernels() {
  Kernels kernels = *real;
#define BNAS_STEP(Step, kernel) \
  if (kernels.kernel != nullptr) kernels.kernel = &delayed<Step, &Kernels::kernel>;
  BNAS_STEPS(BNAS_STEP)
#undef BNAS_STEP
  return kernels;
}

using Floats = std::vector<float>;

bool same(const Floats& a, const Floats& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Runs images one by one on several threads; returns how many times the logits were others.
int differing(Model& model, const Floats& inputs, const Floats& right, int runs) {
  leads = true;
  int wrong = 0;
  for (int i = 0; i < runs; ++i) {
    Floats logits(right.size());
    model.run(inputs.data(), images, logits.data(), threads);
    if (!same(logits, right)) ++wrong;
  }
  return wrong;
}

// One model: images that nobody shares, one with a late helper, and many after it.
int check(const Kernels& kernels, unsigned seed) {
  const std::unique_ptr<Model> model = random_model(kernels, seed);
  Random random(~seed);
  const Floats inputs = floats(random, images * model->image_size());
  Floats right(images * model->classes());
  leads = true;
  model->run(inputs.data(), images, right.data(), 1);
  int wrong = differing(*model, inputs, right, 1);  // two images, neither shared
  armed = true;
  wrong += differing(*model, inputs, right, 1);
  armed = false;
  if (back < late) ++without_it;
  if (seed % 2 == 0) return wrong;  // destroyed while a helper is away
  std::vector<std::thread> running;
  std::atomic<int> others{0};
  for (std::size_t i = 0; i < callers; ++i)
    running.emplace_back([&] { others += differing(*model, inputs, right, runs_after); });
  for (std::thread& thread : running) thread.join();
  return wrong + others;
}

}  // namespace
}  // namespace bnas

int main() {
  int wrong = 0;
  for (const bnas::Isa& isa : bnas::isas()) {
    if (!isa.missing.empty()) continue;
    bnas::real = isa.kernels;
    const bnas::Kernels kernels = bnas::delayed_kernels();
    for (unsigned seed = 0; seed < 8; ++seed) wrong += bnas::check(kernels, seed);
  }
  std::printf("%d runs with other logits; %d helpers were late, %d runs did not wait\n", wrong,
              bnas::late.load(), bnas::without_it);
  return wrong == 0 && bnas::without_it > 0 ? 0 : 1;
}
