// Owned memory on a cache line's border, zeroed; not an allocator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

namespace bnas {

constexpr std::size_t cache_line = 64;

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}
constexpr std::size_t divide_up(std::size_t n, std::size_t by) { return (n + by - 1) / by; }

class Buffer {
 public:
  explicit Buffer(std::size_t bytes) : size_(bytes), data_(allocate(bytes)) {
    std::memset(data_.get(), 0, bytes);
  }

  std::uint8_t* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::uint8_t* p) const { ::operator delete(p, std::align_val_t(cache_line)); }
  };

  static std::uint8_t* allocate(std::size_t bytes) {
    return static_cast<std::uint8_t*>(::operator new(bytes, std::align_val_t(cache_line)));
  }

  std::size_t size_;
  std::unique_ptr<std::uint8_t, Free> data_;
};

// Constant tables of a model: what the steps' pointers point to.
class Tables {
 public:
  template <class T>
  T* allocate(std::size_t count) {
    buffers_.emplace_back(count * sizeof(T));
    bytes_ += count * sizeof(T);
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
