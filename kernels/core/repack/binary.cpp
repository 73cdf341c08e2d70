#include "core/repack/binary.h"

#include <algorithm>

#include "core/repack/rows.h"

namespace bnas {
namespace {

// The byte of channels 8 * plane .. of one tap; zero beyond the last channel.
std::uint8_t weight_byte(const std::uint64_t* row, const BinaryShape& shape, std::size_t tap,
                         std::size_t plane) {
  const std::size_t first = plane * bits_per_plane;
  const std::size_t count = std::min(bits_per_plane, shape.channels - first);
  return static_cast<std::uint8_t>(bits_at(row, tap * shape.channels + first, count));
}

}  // namespace

const std::uint8_t* tile_bits(const std::uint64_t* rows, const BinaryShape& shape, Tables& tables) {
  const std::size_t planes = planes_for(shape.channels);
  const std::size_t steps = shape.taps * planes;
  const std::size_t words = words_for(shape.taps * shape.channels);
  auto* tiles = tables.allocate<std::uint8_t>(sum(product(shape.outputs, steps), cache_line));
  const std::size_t outputs = shape.sections().outputs;
  for (std::size_t o = 0; o < shape.outputs; ++o) {
    const std::size_t done = o % outputs / bits_per_plane * bits_per_plane;
    const std::size_t first = o / outputs * outputs + done;
    const std::size_t count = std::min(bits_per_plane, outputs - done);
    std::uint8_t* to = tiles + first * steps + (o - first);
    for (std::size_t tap = 0; tap < shape.taps; ++tap) {
      for (std::size_t p = 0; p < planes; ++p, to += count)
        *to = weight_byte(rows + o * words, shape, tap, p);
    }
  }
  return tiles;
}

const std::uint8_t* block_bits(const std::uint64_t* rows, const BinaryShape& shape,
                               std::size_t block, std::size_t lanes, Tables& tables) {
  const std::size_t planes = planes_for(shape.channels);
  const std::size_t steps = shape.taps * planes;
  const std::size_t words = words_for(shape.taps * shape.channels);
  auto* blocks = tables.allocate<std::uint8_t>(product(round_up(shape.outputs, lanes), steps));
  for (std::size_t o = 0; o < shape.outputs; ++o) {
    const std::size_t first = o / block * block;
    const std::size_t width = std::min(block, round_up(shape.outputs - first, lanes));
    std::uint8_t* to = blocks + first * steps + (o - first);
    for (std::size_t s = 0; s < steps; ++s)
      to[s * width] = weight_byte(rows + o * words, shape, s / planes, s % planes);
  }
  return blocks;
}

const std::uint32_t* pair_limits(Array<std::int32_t> threshold, Tables& tables) {
  auto* pairs = tables.allocate<std::uint32_t>(threshold.size);
  for (std::size_t o = 0; o < threshold.size; ++o) {
    const std::int64_t below = static_cast<std::int64_t>(threshold.data[o]) - 1;
    const auto s = static_cast<std::int16_t>(std::clamp<std::int64_t>(below, -32768, 32767));
    pairs[o] = static_cast<std::uint16_t>(s) * 0x10001u;
  }
  return pairs;
}

const std::uint8_t* invert_flips(const std::uint64_t* flip, const Sections& sections,
                                 Tables& tables) {
  auto* bytes = tables.allocate<std::uint8_t>(sections.count * planes_for(sections.outputs));
  for (std::size_t c = 0; c < sections.count * sections.outputs; ++c) {
    const std::size_t place = place_of(sections, c);
    std::uint8_t& byte = bytes[place / bits_per_plane];
    byte = static_cast<std::uint8_t>(byte | (bit_at(flip, c) ? 0u : 1u) << place % bits_per_plane);
  }
  return bytes;
}

const std::uint8_t* bytes_of_bits(Array<std::uint64_t> bits, std::size_t channels, Tables& tables) {
  auto* bytes = tables.allocate<std::uint8_t>(planes_for(channels));
  for (std::size_t c = 0; bits.size != 0 && c < channels; ++c) {
    const unsigned bit = bit_at(bits.data, c) ? 1 : 0;
    bytes[c / 8] = static_cast<std::uint8_t>(bytes[c / 8] | bit << c % 8);
  }
  return bytes;
}

}  // namespace bnas
