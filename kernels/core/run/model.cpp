#include "core/run/model.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/run/standard_floats.h"
#include "core/sizes.h"

namespace bnas {
namespace {

// Vectors may begin before a plane and end behind it; see Gather::shifted.
constexpr std::size_t slack = 4 * max_lanes;

const float* plane_of(const Frame& frame, const Planes& p, std::size_t c) {
  return reinterpret_cast<const float*>(frame.arena + p.offset) + c * p.stride;
}

}  // namespace

// A context for each thread of a run.
struct Model::Contexts {
  std::unique_ptr<Context> first;
  Context* free = first.get();
  std::mutex mutex{};

  // Null when all are in use.
  const Context* begin() {
    const std::lock_guard<std::mutex> lock(mutex);
    const Context* context = free;
    if (free != nullptr) free = free->next.get();
    return context;
  }
};

// What the threads of one run share: images for each of them.
struct Model::Batch {
  Model& model;
  const float* images;
  float* logits;
  std::size_t count;
  Contexts contexts;
  std::size_t next = 0;
  std::mutex mutex{};

  static void work(void* batch) { static_cast<Batch*>(batch)->work(); }

  void work() {
    const Context* context = contexts.begin();
    if (context == nullptr) return;
    const StandardFloats floats;
    for (std::size_t i = claim(); i < count; i = claim()) {
      model.run_one(context->frame, images + i * model.image_size(), logits + i * model.classes());
    }
  }

  std::size_t claim() {
    const std::lock_guard<std::mutex> lock(mutex);
    return next++;
  }
};

Model::Context::Context(const Model& of)
    : memory(of.context_bytes_),
      frame{memory.data() + slack, memory.data() + slack + of.parts_.arena + slack,
            of.planes_.data()},
      model(&of) {
  for (const Step& step : of.parts_.constants) of.execute(step, frame);
}

Model::Model(Parts parts)
    : parts_(std::move(parts)),
      planes_(all_planes(parts_.values)),
      context_bytes_(sum(sum(parts_.arena, parts_.scratch), 2 * slack)) {}

std::vector<Planes> Model::all_planes(const std::vector<Value>& values) {
  std::vector<Planes> planes;
  for (const Value& value : values) planes.push_back(value.planes);
  return planes;
}

std::size_t Model::image_size() const {
  const Planes& in = planes_[parts_.input];
  return in.channels * in.height * in.width;
}

std::unique_ptr<Model::Context> Model::take(std::size_t count) {
  Shared& shared = shared_.get();
  std::unique_ptr<Context> taken;
  for (std::size_t i = 0; i < count; ++i) {
    std::unique_ptr<Context> context;
    {
      const std::lock_guard<std::mutex> lock(shared.mutex);
      context = std::move(shared.idle);
      if (context != nullptr) shared.idle = std::move(context->next);
    }
    if (context == nullptr) context = std::make_unique<Context>(*this);
    context->next = std::move(taken);
    taken = std::move(context);
  }
  return taken;
}

void Model::give_back(std::unique_ptr<Context> contexts) {
  Shared& shared = shared_.get();
  const std::lock_guard<std::mutex> lock(shared.mutex);
  give_back(std::move(contexts), shared);
}

void Model::give_back(std::unique_ptr<Context> contexts, Shared& locked) {
  while (contexts != nullptr) {
    std::unique_ptr<Context> rest = std::move(contexts->next);
    contexts->next = std::move(locked.idle);
    locked.idle = std::move(contexts);
    contexts = std::move(rest);
  }
}

void Model::load(const Frame& frame, const float* image) const {
  const Planes& in = planes_[parts_.input];
  const std::size_t pixels = in.height * in.width;
  for (std::size_t c = 0; c < in.channels; ++c) {
    std::memcpy(const_cast<float*>(plane_of(frame, in, c)), image + c * pixels,
                pixels * sizeof(float));
  }
}

void Model::execute(const Step& step, const Frame& frame, Range range) const {
  std::visit([&](const auto& op) { kernel_for(parts_.kernels, op)(op, frame, range); }, step.op);
}

void Model::execute(const Step& step, const Frame& frame) const {
  execute(step, frame, {0, step.units});
}

void Model::run_one(const Frame& frame, const float* image, float* logits) const {
  load(frame, image);
  for (const Step& step : parts_.steps) execute(step, frame);
  copy_out(frame, parts_.output, logits);
}

void Model::run(const float* images, std::size_t n, float* logits, std::size_t threads) {
  if (n >= threads) return run_batch(images, n, logits, threads);
  const StandardFloats floats;
  for (std::size_t i = 0; i < n; ++i)
    run_single(images + i * image_size(), logits + i * classes(), std::min(threads, Team::most));
}

void Model::run_batch(const float* images, std::size_t n, float* logits, std::size_t threads) {
  const std::size_t workers = std::max<std::size_t>(1, std::min(threads, n));
  Batch batch{*this, images, logits, n, {take(workers)}};
  shared_.get().pool.run(workers - 1, &Batch::work, &batch);
  give_back(std::move(batch.contexts.first));
}

void Model::copy_out(const Frame& frame, ValueId id, void* out) const {
  const Planes& p = planes_[id];
  const std::size_t pixels = p.height * p.width;
  for (std::size_t c = 0; c < p.channels; ++c) {
    if (parts_.values[id].kind == Kind::f32) {
      std::memcpy(static_cast<float*>(out) + c * pixels, plane_of(frame, p, c),
                  pixels * sizeof(float));
      continue;
    }
    const std::uint8_t* plane = frame.arena + p.offset + c / bits_per_plane * p.stride;
    auto* to = static_cast<std::uint8_t*>(out) + c * pixels;
    for (std::size_t i = 0; i < pixels; ++i) to[i] = plane[i] >> c % bits_per_plane & 1;
  }
}

void Model::trace(const float* image, void* const* out) {
  const StandardFloats floats;
  std::unique_ptr<Context> context = take(1);
  const Frame& frame = context->frame;
  load(frame, image);
  copy_out(frame, parts_.input, out[parts_.input]);
  for (const Step& step : parts_.constants) copy_out(frame, step.writes[0], out[step.writes[0]]);
  std::vector<ValueId> written;  // by the step of the program so far
  const std::vector<Step>& steps = parts_.traced.empty() ? parts_.steps : parts_.traced;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    execute(step, frame);
    written.insert(written.end(), step.writes.begin(), step.writes.end());
    if (i + 1 < steps.size() && steps[i + 1].program_step == step.program_step) continue;
    for (const ValueId id : written) {
      if (id < parts_.program_values) copy_out(frame, id, out[id]);
    }
    written.clear();
  }
  give_back(std::move(context));
}

void Model::profile(const float* image, double* seconds) {
  using Clock = std::chrono::steady_clock;
  const StandardFloats floats;
  std::unique_ptr<Context> context = take(1);
  std::fill(seconds, seconds + parts_.program_steps, 0.0);
  load(context->frame, image);
  for (const Step& step : parts_.steps) {
    const auto start = Clock::now();
    execute(step, context->frame);
    seconds[step.program_step] += std::chrono::duration<double>(Clock::now() - start).count();
  }
  give_back(std::move(context));
}

Model::Execution::Execution(Model& model, const float* image)
    : model_(model), context_(model.take(1)) {
  model_.load(context_->frame, image);
  for (const Step& step : model_.parts_.steps) model_.execute(step, context_->frame);
}

Model::Execution::~Execution() { model_.give_back(std::move(context_)); }

void Model::Execution::repeat(std::size_t program_step, std::size_t times) const {
  for (std::size_t i = 0; i < times; ++i) {
    for (const Step& step : model_.parts_.steps) {
      if (step.program_step == program_step) model_.execute(step, context_->frame);
    }
  }
}

}  // namespace bnas
