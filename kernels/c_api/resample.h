// Antialiased bilinear resizing of pictures of bytes, to the bit as Pillow does it and
// docs/format.md says; only the part that is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bnas {

// A picture (height, width, channels); channels: 1 or 3.
struct Picture {
  std::size_t height, width, channels;
  std::vector<std::uint8_t> bytes;
};

// Part of one side: `count` pixels of a side resized to `whole`, from `first` on.
struct Cut {
  std::size_t whole, first, count;
};

// Resized, and cut out.
Picture resample(const Picture& picture, Cut rows, Cut columns);

}  // namespace bnas
