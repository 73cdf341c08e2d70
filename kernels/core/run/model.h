// A network ready to run: steps, repacked weights, a memory plan. Any number of threads may use one
// at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/buffer.h"
#include "core/kernels.h"
#include "core/program.h"
#include "core/run/pace.h"
#include "core/run/per_process.h"
#include "core/run/team.h"
#include "core/run/thread_pool.h"
#include "core/tables.h"

namespace bnas {

class Model {
 public:
  struct Parts {
    const Kernels& kernels;
    std::vector<Value> values;
    std::vector<Step> steps;
    std::vector<Step> traced;     // the steps of a trace, where they are others
    std::vector<Step> constants;  // steps that a context executes once, when it is made
    Tables weights, tables;
    ValueId input, output;
    std::size_t program_values, program_steps;
    std::size_t scratch, arena;  // bytes a context
  };

  explicit Model(Parts parts);

  // images: (n, C, H, W); logits: (n, classes). The images are spread over at most `threads`
  // threads; where there are fewer images than that, all work on one after the other, as long as
  // that pays (pace.h). Throws std::bad_alloc or std::system_error where memory or threads run out;
  // the logits are then incomplete.
  void run(const float* images, std::size_t n, float* logits, std::size_t threads);

  // Runs one image and copies every value of the program as soon as it is there: out[v] is (C, H,
  // W), float for f32, one byte (0 or 1) an element for bits.
  void trace(const float* image, void* const* out);

  // Runs one image and writes the seconds that each step of the program took.
  void profile(const float* image, double* seconds);

  // One image's run, held so that a step can be repeated alone (to measure it). A step that adds
  // onto its own input in place does so again each time. The model must outlive it.
  class Execution;

  const Parts& parts() const { return parts_; }
  std::size_t image_size() const;
  // Bytes that each thread of a run needs.
  std::size_t context_bytes() const { return context_bytes_; }
  std::size_t classes() const { return planes_[parts_.output].channels; }

 private:
  // Memory of one execution. Contexts form lists: those not in use, and those of one run.
  struct Context {
    explicit Context(const Model& model);
    Buffer memory;
    Frame frame;
    std::unique_ptr<Context> next;
    // Of an image that this context's thread leads, and those of the contexts behind it share.
    const Model* model;
    Team team;
    ThreadPool::Job job;
    std::unique_ptr<Context> next_late;
  };
  // What the runs of one process share. The pool comes last: its threads may use all else until it
  // has ended.
  struct Shared {
    std::mutex mutex;
    std::unique_ptr<Context> idle;
    std::unique_ptr<Context> late;  // runs that a helper has not left yet, linked by next_late
    Pace pace;
    ThreadPool pool;
  };
  struct Contexts;
  struct Batch;

  static std::vector<Planes> all_planes(const std::vector<Value>& values);
  std::unique_ptr<Context> take(std::size_t count);
  void give_back(std::unique_ptr<Context> contexts);
  static void give_back(std::unique_ptr<Context> contexts, Shared& locked);
  void load(const Frame& frame, const float* image) const;
  void run_batch(const float* images, std::size_t n, float* logits, std::size_t threads);
  // Of one image; in single_image.cpp.
  void run_single(const float* image, float* logits, std::size_t threads);
  bool lead(Context& leader, const float* image, std::size_t threads, Pace::Time patience);
  static void help(void* leader);
  static void collect_late(Shared& locked);
  void execute(const Step& step, const Frame& frame, Range range) const;
  void execute(const Step& step, const Frame& frame) const;
  void run_one(const Frame& frame, const float* image, float* logits) const;
  void copy_out(const Frame& frame, ValueId id, void* out) const;

  Parts parts_;
  std::vector<Planes> planes_;
  std::size_t context_bytes_;
  PerProcess<Shared> shared_;
};

class Model::Execution {
 public:
  // Runs the whole program once.
  Execution(Model& model, const float* image);
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // Runs a step of the program, given by its index, `times` times.
  void repeat(std::size_t program_step, std::size_t times) const;

 private:
  Model& model_;
  std::unique_ptr<Context> context_;
};

}  // namespace bnas
