// One image on several threads, or on one where the others are late.
#include <utility>

#include "core/run/model.h"
#include "core/run/standard_floats.h"

namespace bnas {

void Model::run_single(const float* image, float* logits, std::size_t threads) {
  Shared& shared = shared_.get();
  bool sharing = false;
  Pace::Time patience{};
  {
    const std::lock_guard<std::mutex> lock(shared.mutex);
    collect_late(shared);
    sharing = shared.late == nullptr && shared.pace.shares();
    patience = shared.pace.patience();
  }
  std::unique_ptr<Context> contexts = take(sharing ? threads : 1);
  Frame frame = contexts->frame;
  const auto start = Wait::Clock::now();
  const bool done = sharing && lead(*contexts, image, threads, patience);
  if (!done) {
    // Late threads may still write into the leader's arena, so another one is used. Nobody uses
    // that of a helper: all work in the leader's, with scratch memory of their own.
    if (sharing) frame.arena = contexts->next->frame.arena;
    load(frame, image);
    for (const Step& step : parts_.steps) execute(step, frame);
  }
  copy_out(frame, parts_.output, logits);
  const bool left = Wait(patience).until([&] { return contexts->job.idle(); });
  const auto took = Wait::Clock::now() - start;

  const std::lock_guard<std::mutex> lock(shared.mutex);
  if (sharing) {
    shared.pace.ran_shared(took, done && left);
  } else {
    shared.pace.ran_alone(took);
  }
  if (left) return give_back(std::move(contexts), shared);
  contexts->next_late = std::move(shared.late);
  shared.late = std::move(contexts);
}

// Returns whether the image is done; if not, somebody is late.
bool Model::lead(Context& leader, const float* image, std::size_t threads, Pace::Time patience) {
  ThreadPool& pool = shared_.get().pool;
  leader.team.begin(threads);
  leader.job.task = &Model::help;
  leader.job.argument = &leader;
  pool.offer(leader.job, threads - 1);
  load(leader.frame, image);
  bool done = true;
  for (std::size_t i = 0; done && i < parts_.steps.size(); ++i) {
    const Step& step = parts_.steps[i];
    done = leader.team.lead(i, step.units, patience,
                            [&](Range range) { execute(step, leader.frame, range); });
  }
  leader.team.finish();
  pool.withdraw(leader.job);
  return done;
}

// A thread of the pool takes part in the image of a leader.
void Model::help(void* argument) {
  auto& leader = *static_cast<Context*>(argument);
  const Model& model = *leader.model;
  const std::size_t member = leader.team.join();
  const Context* own = &leader;
  for (std::size_t i = 0; i < member; ++i) own = own->next.get();
  const StandardFloats floats;
  const Frame frame{leader.frame.arena, own->frame.scratch, own->frame.values};
  leader.team.follow(member, [&](std::size_t step, Range range) {
    model.execute(model.parts_.steps[step], frame, range);
  });
}

void Model::collect_late(Shared& locked) {
  for (std::unique_ptr<Context>* link = &locked.late; *link != nullptr;) {
    if (!(*link)->job.idle()) {
      link = &(*link)->next_late;
      continue;
    }
    std::unique_ptr<Context> contexts = std::move(*link);
    *link = std::move(contexts->next_late);
    give_back(std::move(contexts), locked);
  }
}

}  // namespace bnas
