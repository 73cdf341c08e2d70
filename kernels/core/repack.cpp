#include "core/repack.h"

#include <algorithm>
#include <cstdlib>

namespace bnas {
namespace {

bool bit_at(const std::uint64_t* row, std::size_t i) { return row[i / 64] >> i % 64 & 1; }

std::size_t words_for(std::size_t bits) { return divide_up(bits, 64); }

// The byte of channels 8 * group .. of one tap; zero beyond the last channel.
std::uint32_t weight_byte(const std::uint64_t* row, const BinaryShape& shape, std::size_t tap,
                          std::size_t group) {
  const std::size_t first = group * bits_per_plane;
  const std::size_t count = std::min(bits_per_plane, shape.channels - first);
  std::uint32_t byte = 0;
  for (std::size_t i = 0; i < count; ++i) {
    byte |= static_cast<std::uint32_t>(bit_at(row, tap * shape.channels + first + i)) << i;
  }
  return byte;
}

std::int64_t fold_at(const BinaryConvSpec& spec, const BinaryShape& shape, std::size_t output,
                     std::size_t tap) {
  return spec.fold.size != 0 ? spec.fold.data[output * shape.taps + tap] : 0;
}

std::int64_t count_bits(const std::uint64_t* row, std::size_t first, std::size_t count) {
  std::int64_t sum = 0;
  for (std::size_t i = first; i < first + count; ++i) sum += bit_at(row, i);
  return sum;
}

}  // namespace

const float* tile_weights(const float* rows, std::size_t outputs, std::size_t k, std::size_t tile,
                          Tables& tables) {
  auto* tiles = tables.allocate<float>(outputs * k);
  for (std::size_t first = 0; first < outputs; first += tile) {
    const std::size_t count = std::min(tile, outputs - first);
    for (std::size_t i = 0; i < k * count; ++i) {
      tiles[first * k + i] = rows[(first + i % count) * k + i / count];
    }
  }
  return tiles;
}

const float* transpose_weights(const float* rows, std::size_t outputs, std::size_t k,
                               std::size_t padded, Tables& tables) {
  auto* columns = tables.allocate<float>(k * padded);
  for (std::size_t i = 0; i < outputs * k; ++i) columns[i % k * padded + i / k] = rows[i];
  return columns;
}

const float* pad_bias(Array<float> bias, std::size_t padded, Tables& tables) {
  auto* values = tables.allocate<float>(padded);
  std::copy(bias.data, bias.data + bias.size, values);
  return values;
}

const std::uint32_t* tile_bits(const std::uint64_t* rows, const BinaryShape& shape,
                               Tables& tables) {
  const std::size_t groups = divide_up(shape.channels, bits_per_plane);
  const std::size_t steps = shape.taps * groups;
  const std::size_t words = words_for(shape.taps * shape.channels);
  auto* tiles = tables.allocate<std::uint32_t>(shape.outputs * steps);
  for (std::size_t o = 0; o < shape.outputs; ++o) {
    const std::size_t first = o / bits_per_plane * bits_per_plane;
    const std::size_t count = std::min(bits_per_plane, shape.outputs - first);
    for (std::size_t s = 0; s < steps; ++s) {
      const std::uint32_t byte = weight_byte(rows + o * words, shape, s / groups, s % groups);
      tiles[first * steps + s * count + (o - first)] = byte * 0x01010101u;
    }
  }
  return tiles;
}

// A tap outside the image finds activation bytes of zero, so the popcount includes the bits p of
// its weights:
//   dot = sum over taps inside (C + fold - 2 count) = base - 2 popcount,
//   base = sum over taps inside (C + fold) + sum over taps outside 2 p.
// Kept modulo 2^16: only dot itself has to fit.
const std::int16_t* binary_base(const BinaryConvSpec& spec, const BinaryShape& shape,
                                const Geometry& geometry, std::size_t lanes, Tables& tables) {
  const std::size_t words = words_for(shape.taps * shape.channels);
  auto* base = tables.allocate<std::int16_t>(geometry.patterns * shape.outputs * lanes);
  for (std::size_t o = 0; o < shape.outputs; ++o) {
    for (std::size_t tap = 0; tap < shape.taps; ++tap) {
      const std::int64_t in =
          static_cast<std::int64_t>(shape.channels) + fold_at(spec, shape, o, tap);
      const std::int64_t out =
          2 * count_bits(spec.weight.data + o * words, tap * shape.channels, shape.channels);
      for (std::size_t p = 0; p < geometry.patterns; ++p) {
        const std::uint64_t inside = geometry.inside[p * shape.taps + tap];
        std::int16_t* row = base + (p * shape.outputs + o) * lanes;
        for (std::size_t i = 0; i < lanes; ++i) {
          std::int16_t& sum = row[i % 2 * (lanes / 2) + i / 2];
          sum = static_cast<std::int16_t>(sum + ((inside >> i & 1) != 0 ? in : out));
        }
      }
    }
  }
  return base;
}

const float* count_taps(const Geometry& geometry, std::size_t taps, std::size_t lanes,
                        Tables& tables) {
  auto* counts = tables.allocate<float>(geometry.patterns * lanes);
  for (std::size_t i = 0; i < geometry.inside.size() * lanes; ++i) {
    const bool inside = geometry.inside[i / lanes] >> i % lanes & 1;
    counts[i / lanes / taps * lanes + i % lanes] += inside ? 1.0f : 0.0f;
  }
  return counts;
}

std::int64_t dot_bound(const BinaryConvSpec& spec, const BinaryShape& shape) {
  std::int64_t bound = 0;
  for (std::size_t o = 0; o < shape.outputs; ++o) {
    auto sum = static_cast<std::int64_t>(shape.taps * shape.channels);
    for (std::size_t tap = 0; tap < shape.taps; ++tap)
      sum += std::abs(fold_at(spec, shape, o, tap));
    bound = std::max(bound, sum);
  }
  return bound;
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

const std::uint8_t* invert_flips(const std::uint64_t* flip, std::size_t channels, Tables& tables) {
  auto* bytes = tables.allocate<std::uint8_t>(divide_up(channels, bits_per_plane));
  for (std::size_t c = 0; c < channels; ++c) {
    bytes[c / 8] = static_cast<std::uint8_t>(bytes[c / 8] | (bit_at(flip, c) ? 0u : 1u) << c % 8);
  }
  return bytes;
}

}  // namespace bnas
