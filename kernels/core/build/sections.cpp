#include "core/build/sections.h"

#include <algorithm>

#include "core/repack/binary.h"

namespace bnas {
namespace {

// Bits [0, count) of a run that begins at `from` and goes to `to`, cut at the borders of planes.
struct Run {
  std::size_t from, to, count;
};

RepackBits::Piece piece_of(const Run& run) {
  const auto low = static_cast<int>(run.to % bits_per_plane);
  return {run.from / bits_per_plane, low - static_cast<int>(run.from % bits_per_plane),
          static_cast<std::uint8_t>(((1u << run.count) - 1) << low)};
}

// From channels without gaps to sections that begin a new plane (align), or back.
void repack_bits(Draft& draft, ValueId from, ValueId to, const Sections& sections, bool align) {
  std::vector<std::vector<RepackBits::Piece>> planes(draft.planes(to).planes);
  const std::size_t channels = sections.count * sections.outputs;
  for (std::size_t c = 0, count = 0; c < channels; c += count) {
    const std::size_t place = place_of(sections, c);
    count = std::min({bits_per_plane - c % bits_per_plane, bits_per_plane - place % bits_per_plane,
                      sections.outputs - c % sections.outputs});
    const Run run = align ? Run{c, place, count} : Run{place, c, count};
    planes[run.to / bits_per_plane].push_back(piece_of(run));
  }
  std::vector<std::size_t> first{0};
  std::vector<RepackBits::Piece> pieces;
  for (const auto& some : planes) {
    pieces.insert(pieces.end(), some.begin(), some.end());
    first.push_back(pieces.size());
  }
  const RepackBits op{from, to, draft.tables.copy(first), draft.tables.copy(pieces)};
  draft.add_step(op, planes.size(), {from}, {to});
}

}  // namespace

ValueId add_aligned(Draft& draft, const Sections& sections, std::size_t height, std::size_t width) {
  return draft.add_hidden(Kind::bits, sections.count * planes_for(sections.outputs), height, width);
}

ValueId align_input(Draft& draft, ValueId input, std::size_t groups) {
  const Planes in = draft.planes(input);
  const Sections sections{groups, in.channels / groups};
  if (groups == 1 || sections.outputs % bits_per_plane == 0) return input;
  const ValueId aligned = add_aligned(draft, sections, in.height, in.width);
  repack_bits(draft, input, aligned, sections, true);
  return aligned;
}

void close_gaps(Draft& draft, ValueId from, ValueId to, const Sections& sections) {
  repack_bits(draft, from, to, sections, false);
}

}  // namespace bnas
