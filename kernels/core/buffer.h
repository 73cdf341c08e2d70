// Owned memory on a cache line's border, zeroed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace bnas {

constexpr std::size_t cache_line = 64;

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

}  // namespace bnas
