// Which memory each value gets: buffers are shared by values that do not live at the same time, and
// a value may take over the buffer of one that dies where it is made. Not the steps' arithmetic.
#pragma once

#include <cstddef>
#include <vector>

#include "core/op.h"

namespace bnas {

struct Step {
  std::size_t program_step;  // the step of the program that it is part of
  Op op;
  std::size_t units;
  std::vector<ValueId> reads, writes;
  // The value `writes[0]` may lie where `reads[0]` lies, if that is not needed afterwards ...
  bool in_place = false;
  // ... and then there is nothing left to do.
  bool only_copies = false;
};

struct Value {
  bool bits;
  Planes planes;  // offset: set by plan()
};

std::size_t bytes_of(const Value& value);

// Sets the offsets of all values, drops copies that have become needless, and returns the bytes of
// the arena.
std::size_t plan(std::vector<Value>& values, std::vector<Step>& steps, ValueId input,
                 ValueId output);

}  // namespace bnas
