// What a model of the engine consists of: values, and steps that make them.
#pragma once

#include <cstddef>
#include <vector>

#include "core/op.h"

namespace bnas {

struct Value {
  Kind kind;
  Planes planes;  // offset: set by plan()
};

// A step may be there for normal runs only, or for traces only, which show every value of the
// program: runs leave out values that nobody else asks for (build/fuse/).
enum class When { always, run, trace };

struct Step {
  std::size_t program_step;  // the step of the program that it is part of
  Op op;
  std::size_t units;
  std::vector<ValueId> reads, writes;
  // The value `writes[0]` may lie where `reads[0]` lies, if that is not needed afterwards ...
  bool in_place = false;
  // ... and then there is nothing left to do.
  bool only_copies = false;
  When when = When::always;
};

}  // namespace bnas
