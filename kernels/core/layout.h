// Where values lie in memory, and what one execution works on.
//
// A `bits` value lies in byte planes: plane g holds channels 8g..8g+7 of every pixel, one byte a
// pixel, bit c % 8 for channel c, 1 meaning -1, unused bits zero. An f32 value lies in float
// planes, one a channel. Pixels are flattened row by row. What lies between the last pixel of a
// plane and the next plane is unspecified; it may be read and overwritten.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bnas {

using ValueId = std::size_t;

enum class Kind { f32, bits };

constexpr std::size_t bits_per_plane =
    8;  // channels in one byte plane, and outputs in one binary tile
constexpr std::size_t channels_per_quad = 4;
constexpr std::size_t max_lanes =
    64;  // of bytes, in any vector; bit plane strides are multiples of it
constexpr std::size_t steps_per_byte = 31;  // of 8 bits each: a byte counts to 248
constexpr std::size_t bytewise_steps = 3 * steps_per_byte;
constexpr std::size_t linear_block = 64;     // outputs that a linear layer computes at a time
constexpr std::size_t max_float_lanes = 16;  // float plane strides are multiples of it

// Where a value lies in the arena of a context.
struct Planes {
  std::size_t offset;  // bytes from the start of the arena
  std::size_t stride;  // elements from one plane to the next
  std::size_t planes;
  std::size_t channels, height, width;
};

// What one execution works on: its own arena and scratch memory, and the model's table of values.
struct Frame {
  std::uint8_t* arena;
  std::uint8_t* scratch;
  const Planes* values;
};

// Part of a step's work, in the step's own units.
struct Range {
  std::size_t begin, end;
};

struct Window {
  std::size_t kernel_h, kernel_w, stride_y, stride_x, dilation_y, dilation_x;
  std::size_t pad_top, pad_left, pad_bottom, pad_right;
  std::size_t in_h, in_w, out_h, out_w;
};

}  // namespace bnas
