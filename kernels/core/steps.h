// What the kernels are handed: steps as plain structs of sizes, value numbers and pointers. build/
// makes them, generic/ executes them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/layout.h"

namespace bnas {

// How the taps of a convolution come together in scratch memory.
enum class Gather {
  direct,   // one tap on the output's own grid: the planes are read where they lie
  shifted,  // planes as wide as the output: a tap is a shift of the flattened plane, masked at the
            // borders
  rows,     // anything else: row by row
};

// The taps of a convolution for vectors of `lanes` output pixels. Vectors whose pixels meet the
// borders in the same way share a pattern.
struct Taps {
  Gather gather;
  std::size_t taps, vectors;
  const std::ptrdiff_t* offset;  // [tap] elements from an output pixel to the tap's pixel (shifted)
  const std::uint32_t* pattern;  // [vector]
  const std::uint64_t* inside;   // [pattern][tap] bit i: the tap of pixel i is inside the image
  Window window;
};

// Groups of a convolution: outputs of section s read the planes of section s alone. Planes, and the
// bits of a threshold, are those of one section after the other, each beginning a new plane.
struct Sections {
  std::size_t count;    // 1: an ordinary convolution
  std::size_t outputs;  // of one section
};

// What happens to the dot products of a binary convolution.
struct Stage {
  enum class Kind { threshold, scale, bytes } kind;
  ValueId output;
  const std::uint32_t* limit;  // threshold: [output] twice a 16-bit s, compared as dot > s
  const std::uint8_t*
      inverted;        // threshold: [tile] bits of the outputs that are negative where dot <= s
  const float* scale;  // scale: [output]
  const float* shift;  // scale: [output] added to the product, or null
  bool relu;           // scale
  bool accumulate;     // scale: add to what the output holds
  std::size_t at;      // scale: first channel written
  const std::uint8_t* room;  // bytewise: [pattern][output][lane]; see BinaryConv
};

struct BinaryConv {
  ValueId input;
  Taps taps;
  std::size_t planes;  // byte planes of the input (of one phase) that an output reads
  std::size_t steps;   // taps * planes
  std::size_t outputs;
  Sections sections;
  const std::uint8_t* weights;  // [tile][step][output of the tile]
  // Whether every stage looks at its dot product through a byte, `room`, instead of `base`: a
  // threshold marks count < room, a scale is that of max(room - count, 0), and bytes are that
  // itself, a plane for each output. Never so for more than three chunks of steps.
  bool bytewise;
  // With one stage that looks at bytes: no room is greater, and how many steps a lane that holds as
  // much can count before it overflows; 0: too few.
  std::uint8_t greatest_room;
  std::size_t later_steps;
  bool paired;  // not bytewise: counting is in 16 bits, of two steps at a time
  const std::int16_t*
      base;  // [pattern][output][even lanes, odd lanes]; dot = base - 2 count, mod 2^16
  const Stage* stages;
  std::size_t stage_count;
};

// The same of each channel alone: weights are [plane][tap] a byte of eight channels, base is as
// above, never bytewise.
struct DepthwiseConv {
  BinaryConv conv;
};

// The same with outputs in the lanes, for images of so few pixels that they would not fill them.
// Outputs come in blocks of whole vectors, as many as are gathered at a time.
struct TurnedConv {
  BinaryConv conv;  // weights: [block][step][output of the block]; base: [pattern][vector of
                    // outputs][even lanes, odd lanes]; never bytewise; scales are filled up to
                    // whole vectors
  const std::uint32_t* pattern;  // [pixel]
  std::size_t pixels;
  const std::int16_t* limits;  // [stage][output], filled up likewise; zero but for thresholds
};

struct Conv2d {
  ValueId input, output;
  Taps taps;
  std::size_t channels;  // that an output reads
  std::size_t outputs;
  Sections sections;
  std::size_t chunk;     // channels that are gathered at a time, so that they stay in the cache
  const float* weights;  // [tile][c, ky, kx][output of the tile]
  const float* bias;     // [output]
  bool relu;
};

// Turns floats into activations of 7 bits: q = round(min(max(fma(x, scale, zero), 0), 127)). The
// output lies in planes of quads, elements of 32 bits: plane g holds channels 4g..4g+3 of every
// pixel, a byte each, the first in the lowest; zero beyond the last channel.
struct Quantize {
  ValueId input, output;
  std::size_t channels;
  const float* scale;  // [channel]
  const float* zero;   // [channel]
};

// Three channels leave a byte of a quad free. A row of a filled convolution has a tap's quad, and
// in the free byte one channel of a tap that has no row: other << left & kept.
struct QuadFill {
  std::uint32_t tap, other;
  std::uint32_t left;
  std::uint32_t kept;  // 0: the byte stays free
};

struct QuantizedConv {
  ValueId input, output;  // input: planes of quads
  Taps taps;
  std::size_t planes, outputs;  // planes: of the input (of one phase)
  std::size_t chunk;            // planes that are gathered at a time
  std::size_t plane_rows;       // that a plane becomes: the taps, or the fills
  const QuadFill* fills;        // [row], or null; then there is one plane, and it is shifted
  const std::uint32_t*
      outside;       // [plane] what lies outside the image: not zero, but quantized zeros
  std::size_t rows;  // of weights: (plane, tap), rounded up to whole blocks
  const std::uint32_t* weights;  // [tile][block of rows][output of the tile][row of the block]
  const std::int32_t* offset;    // [output]
  const float* scale;            // [output]
  bool relu;
};

constexpr std::size_t most_quad_signs = 4;

// An 8-bit convolution of which only the signs of its outputs are asked for, in a few ways; all
// planes are gathered at once.
struct QuadSigns {
  struct Signs {
    ValueId output;
    const std::int32_t* limit;     // [output] marked where the sum is not less
    const std::uint8_t* inverted;  // [plane] bits of the outputs that are marked otherwise
  };
  QuantizedConv conv;  // weights: [plane of bits][row][output of the plane], filled up with zeros,
                       // as is the offset; scales are done with
  std::size_t count;
  Signs signs[most_quad_signs];
};

constexpr std::size_t phase_block = 16;  // bytes whose even and odd columns are split at a time

// Takes a strided image apart: slot i holds the pixels (y * stride_y + y0, x * stride_x + x0).
struct SplitPhases {
  ValueId input, output;
  Kind kind;
  std::size_t stride_y, stride_x, height, width;  // height, width: of a phase
  const std::size_t* first;                       // [slot][2] y0, x0
  std::size_t slots, planes;                      // planes: of the input
  bool halves;  // bits, strides of 2 and an even width: columns are split all at once
};

// Moves bits between planes: what sections of a convolution share, and what each begins anew.
struct RepackBits {
  struct Piece {
    std::size_t from;   // plane of the input
    int left;           // how far its bits move up, negative: down
    std::uint8_t kept;  // of the result
  };
  ValueId input, output;
  const std::size_t* first;  // [plane of the output, and one more] its pieces
  const Piece* pieces;
};

// Signs of one value, in up to two ways at once: reading it costs more than comparing.
struct Binarize {
  struct Signs {
    ValueId output;
    const float* threshold;  // [channel]
    const std::uint8_t*
        inverted;  // [plane] bits of the channels that are negative where x < threshold
  };
  ValueId input;
  std::size_t count;
  Signs signs[2];
};

struct Affine {
  ValueId input, output;
  const float* scale;
  const float* shift;
};

struct Relu {
  ValueId input, output;
};

// max(x, 0) + slope * min(x, 0)
struct Prelu {
  ValueId input, output;
  const float* slope;  // [channel]
};

// min(max(x, low), high)
struct Clip {
  ValueId input, output;
  const float* low;   // [channel]
  const float* high;  // [channel]
};

struct Sigmoid {
  ValueId input, output;
};

// max(0, min(1, slope * x + middle)), one rounding
struct HardSigmoid {
  ValueId input, output;
  float slope, middle;
};

struct Constant {
  ValueId output;
  const float* values;  // [channel][pixel]
};

// Greatest signs of windows, or least ones: an "and" of the negative bits inside the image.
// Channels whose least sign is wanted are inverted before and after.
struct PoolBits {
  ValueId input, output;
  Window window;
  const std::uint8_t* inverted;  // [plane] bits of those channels
  std::size_t row;               // bytes of a padded row in scratch memory, and two vectors more
};

// Row by row: vectors of output columns, each tap a load with the stride of the window.
struct Pool {
  ValueId input, output;
  Window window;
  bool average;
  std::size_t vectors;           // of one output row
  const std::uint64_t* columns;  // [vector][kx] bit i: the tap of column i is inside the image
  const float* counts;           // average: [vector][lane] columns inside the image
  float inverse;  // average: of the count, where it is always the same power of two; or 0
  // Whether columns are taken apart once for all taps (generic/pool_halves-inl.h): the stride is 2,
  // nothing lies outside but to the left, and the order in which a window is looked at does not
  // show.
  bool halves;
};

// Greatest bytes of 3x3 windows of stride 2, one pixel outside above and to the left, in planes of
// bytes; times a scale. No byte is less than what is outside.
struct PoolBytes {
  ValueId input, output;
  const float* scale;           // [channel]
  const std::uint64_t* inside;  // [vector] bit i: the pixel before i is in the same row
};

// Mean over the channels of |x * scale[c] + shift[c]|: that sum times factor, plus rest.
struct MeanMagnitude {
  ValueId input, output;
  const float* scale;
  const float* shift;
  float factor, rest;
};

// output[c] = input[c] * factor[c or 0], in place or not; a factor of one pixel is that of all.
struct Multiply {
  ValueId input, factor, output;
};

// output[at + c] += addend[c], in place.
struct AddSlice {
  ValueId addend, output;
  std::size_t at;
};

// output[at + c] = input[index ? index[c] : c] for c < count; an index of -1 gives zero.
struct CopyPlanes {
  ValueId input, output;
  std::size_t at, count;
  const std::int32_t* index;
};

struct GlobalAvgPool {
  ValueId input, output;
};

struct Linear {
  ValueId input, output;
  std::size_t outputs, padded_outputs;  // padded to a multiple of max_float_lanes
  const float* weights;                 // [block][input element][padded output of the block]
  const float* bias;                    // [padded output]
};

}  // namespace bnas
