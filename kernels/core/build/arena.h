// Places for buffers in one piece of memory, shared by those that are not needed at the same time.
#pragma once

#include <cstddef>
#include <vector>

namespace bnas {

// From the first step that writes a buffer to the last that needs it, both included.
struct Life {
  std::size_t first, last;
  bool overlaps(const Life& other) const { return first <= other.last && other.first <= last; }
};

class Arena {
 public:
  explicit Arena(std::size_t steps);

  // The lowest place for so many bytes that is free during `life`; of the buffers behind the first
  // thousands the lowest above all others, as looking at every gap takes the square of the time.
  std::size_t place(const Life& life, std::size_t bytes);

  std::size_t bytes() const { return bytes_; }

 private:
  struct Placed {
    Life life;
    std::size_t start, end;
  };

  std::size_t lowest_gap(const Life& life, std::size_t bytes) const;
  std::size_t top_of(const Life& life) const;
  void raise(const Life& life, std::size_t end);

  std::vector<Placed> placed_;  // by start
  // A tree over the steps: the highest end of what is needed at any step below a node, and of what
  // is needed at all of them.
  std::vector<std::size_t> any_, all_;
  std::size_t leaves_;
  std::size_t bytes_ = 0;
};

}  // namespace bnas
