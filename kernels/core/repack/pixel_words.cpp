#include "core/repack/pixel_words.h"

#include <algorithm>

#include "core/repack/rows.h"

namespace bnas {
namespace {

std::uint32_t weight_word(const std::uint64_t* row, const BinaryShape& shape, std::size_t tap,
                          std::size_t word) {
  const std::size_t first = word * channels_per_word;
  const std::size_t count = std::min(channels_per_word, shape.channels - first);
  return static_cast<std::uint32_t>(bits_at(row, tap * shape.channels + first, count));
}

}  // namespace

const std::uint32_t* block_words(const std::uint64_t* rows, const BinaryShape& shape,
                                 Tables& tables) {
  const std::size_t padded = round_up(shape.outputs, word_lanes);
  const std::size_t words = divide_up(shape.channels, channels_per_word);
  const std::size_t row_words = words_for(shape.taps * shape.channels);
  auto* blocks = tables.allocate<std::uint32_t>(product(padded, shape.taps, words));
  for (std::size_t block = 0; block < pixel_blocks(padded); ++block) {
    const std::size_t first = first_of_block(padded, block);
    const std::size_t width = first_of_block(padded, block + 1) - first;
    for (std::size_t o = first; o < std::min(first + width, shape.outputs); ++o) {
      std::uint32_t* to = blocks + first * shape.taps * words + (o - first);
      for (std::size_t s = 0; s < shape.taps * words; ++s, to += width)
        *to = weight_word(rows + o * row_words, shape, s / words, s % words);
    }
  }
  return blocks;
}

const std::int16_t* set_bases(Array<std::int32_t> fold, const BinaryShape& shape,
                              const TapSets& sets, Tables& tables) {
  const std::size_t padded = round_up(shape.outputs, word_lanes);
  auto* bases = tables.allocate<std::int16_t>(product(sets.sets.size(), padded));
  for (std::size_t s = 0; s < sets.sets.size(); ++s) {
    for (std::size_t o = 0; o < shape.outputs; ++o) {
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < sets.sets[s].count; ++i) {
        const std::size_t tap = sets.tap[sets.sets[s].first + i];
        sum += static_cast<std::int64_t>(shape.channels);
        if (fold.size != 0) sum += fold.data[o * shape.taps + tap];
      }
      bases[s * padded + o] = static_cast<std::int16_t>(sum);
    }
  }
  return bases;
}

}  // namespace bnas
