// Constant tables of a model: what the steps' pointers point to.
#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

#include "core/buffer.h"
#include "core/sizes.h"

namespace bnas {

class Tables {
 public:
  template <class T>
  T* allocate(std::size_t count) {
    const std::size_t bytes = product(count, sizeof(T));
    buffers_.emplace_back(bytes);
    bytes_ += bytes;
    return reinterpret_cast<T*>(buffers_.back().data());
  }

  template <class T>
  const T* copy(const T* from, std::size_t count) {
    T* to = allocate<T>(count);
    if (count != 0) std::memcpy(to, from, count * sizeof(T));
    return to;
  }

  template <class T>
  const T* copy(const std::vector<T>& from) {
    return copy(from.data(), from.size());
  }

  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<Buffer> buffers_;
  std::size_t bytes_ = 0;
};

}  // namespace bnas
