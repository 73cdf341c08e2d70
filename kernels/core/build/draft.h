// A model in the making: the values, steps and tables so far. What each step of a program becomes
// is in the other files of this folder.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/buffer.h"
#include "core/build/spec.h"
#include "core/kernels.h"
#include "core/program.h"
#include "core/run/model.h"

namespace bnas {

class Draft {
 public:
  explicit Draft(const Kernels& table) : kernels(table) {}

  // A value of the program; all are added before the first step.
  ValueId add_value(Kind kind, std::size_t channels, std::size_t height, std::size_t width);

  // The next step of the program. Throws std::invalid_argument where the engine cannot run it.
  template <class Spec>
  void add(const Spec& spec) {
    build(*this, spec);
    ++program_steps_;
  }

  // The model; nothing is left here.
  std::unique_ptr<Model> finish(ValueId input, ValueId output);

  // For the functions that build a step:

  const Planes& planes(ValueId id) const { return values_[id].planes; }
  Kind kind(ValueId id) const { return values_[id].kind; }

  // A value that the program does not know of.
  ValueId add_hidden(Kind kind, std::size_t planes, std::size_t height, std::size_t width);

  void add_step(Op op, std::size_t units, std::vector<ValueId> reads,
                const std::vector<ValueId>& writes);
  // A step that may write its output where its input lies.
  void add_in_place(Op op, ValueId input, ValueId output);
  // Makes `to` a copy of `from`, for a step that adds onto it.
  void copy_for_update(ValueId from, ValueId to);
  // A value that is the same in every run.
  void add_constant(const Constant& op);
  // The step before, or null.
  Step* last_step() { return steps_.empty() ? nullptr : &steps_.back(); }
  // The step before makes one more value.
  void also_writes(ValueId id);

  std::size_t value_count() const { return values_.size(); }
  // All so far, for what is decided when all are there.
  std::vector<Step>& steps() { return steps_; }

  // The last step so far that writes a value, or null.
  const Step* writer_of(ValueId id) const;

  // Scratch memory of so many bytes for a step.
  void need_scratch(std::size_t bytes);

  void require(bool good, const std::string& message) const;

  const Kernels& kernels;
  Tables weights, tables;

 private:
  std::vector<Value> values_;
  std::vector<Step> steps_, constants_;
  std::vector<std::size_t> writers_;  // [value] the last step that writes it, or none
  std::size_t program_steps_ = 0, program_values_ = 0;
  std::size_t scratch_ = 0;
};

}  // namespace bnas
