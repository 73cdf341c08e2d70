// Signs of what an 8-bit convolution makes, where nobody asks for its floats: they are those of its
// sums, compared with the least sum whose float is not less than the threshold.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <variant>

#include "core/build/fuse/fuse.h"
#include "core/run/standard_floats.h"
#include "core/sizes.h"

namespace bnas {
namespace {

constexpr std::int32_t least_sum = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t greatest_sum = std::numeric_limits<std::int32_t>::max();

// What the convolution does to a sum, and its threshold to that; never falls as the sum grows.
bool not_less(std::int32_t sum, float scale, bool relu, float threshold) {
  const float x = static_cast<float>(sum) * scale;
  return (relu ? std::max(x, 0.0f) : x) >= threshold;
}

// The least sum that is marked; the greatest one is.
std::int32_t limit_of(float scale, bool relu, float threshold) {
  std::int64_t unmarked = std::int64_t{least_sum} - 1, marked = greatest_sum;
  while (marked - unmarked > 1) {
    const std::int64_t middle = (marked + unmarked) >> 1;
    const bool mark = not_less(static_cast<std::int32_t>(middle), scale, relu, threshold);
    (mark ? marked : unmarked) = middle;
  }
  return static_cast<std::int32_t>(marked);
}

QuadSigns::Signs signs_of(Draft& draft, const QuantizedConv& conv, const Binarize::Signs& of) {
  const std::size_t planes = divide_up(conv.outputs, bits_per_plane);
  std::vector<std::uint8_t> inverted(of.inverted, of.inverted + planes);
  auto* limits = draft.weights.allocate<std::int32_t>(planes * bits_per_plane);
  std::fill(limits + conv.outputs, limits + planes * bits_per_plane, greatest_sum);
  for (std::size_t o = 0; o < conv.outputs; ++o) {
    if (not_less(greatest_sum, conv.scale[o], conv.relu, of.threshold[o])) {
      limits[o] = limit_of(conv.scale[o], conv.relu, of.threshold[o]);
      continue;
    }
    // Never marked, which is the same as always, inverted.
    limits[o] = least_sum;
    std::uint8_t& bits = inverted[o / bits_per_plane];
    bits = static_cast<std::uint8_t>(bits ^ 1u << o % bits_per_plane);
  }
  return {of.output, limits, draft.weights.copy(inverted)};
}

// Tiles of bits_per_plane outputs, filled up with zeros, from those of a convolution to floats.
const std::uint32_t* retile(const QuantizedConv& conv, std::size_t tile, Tables& tables) {
  const std::size_t tiles = divide_up(conv.outputs, bits_per_plane);
  auto* weights = tables.allocate<std::uint32_t>(product(tiles, bits_per_plane, conv.rows));
  for (std::size_t o = 0; o < conv.outputs; ++o) {
    const std::size_t first = o / tile * tile, count = std::min(tile, conv.outputs - first);
    const std::size_t to = o / bits_per_plane * bits_per_plane * conv.rows + o % bits_per_plane;
    for (std::size_t r = 0; r < conv.rows; ++r)
      weights[to + r * bits_per_plane] = conv.weights[first * conv.rows + r * count + (o - first)];
  }
  return weights;
}

const std::int32_t* filled_offsets(const QuantizedConv& conv, Tables& tables) {
  auto* offsets = tables.allocate<std::int32_t>(round_up(conv.outputs, bits_per_plane));
  std::copy(conv.offset, conv.offset + conv.outputs, offsets);
  return offsets;
}

// Whether all sums of a pixel are there at once, and scales keep their order.
bool can_sign(const Kernels& kernels, const QuantizedConv& conv) {
  const bool kept = std::all_of(conv.scale, conv.scale + conv.outputs,
                                [](float x) { return x >= 0.0f && std::isfinite(x); });
  return kernels.quad_signs != nullptr && kernels.quad_rows == 1 && conv.chunk == conv.planes &&
         kept;
}

// How often a value is binarized, or 0 where that is not all that is done with it.
std::size_t ways_of(const std::vector<Step>& steps, const std::vector<std::size_t>& readers) {
  std::size_t ways = 0;
  for (const std::size_t i : readers) {
    const auto* binarize = std::get_if<Binarize>(&steps[i].op);
    if (binarize == nullptr) return 0;
    ways += binarize->count;
  }
  return ways;
}

void fuse_readers(Fusion& fusion, std::size_t at, const std::vector<std::size_t>& readers) {
  Draft& draft = fusion.draft;
  std::vector<Step>& steps = draft.steps();
  QuadSigns fused{std::get<QuantizedConv>(steps[at].op), 0, {}};
  Step step{steps[at].program_step, fused, 0, {fused.conv.input}, {}};
  for (const std::size_t i : readers) {
    const Binarize& binarize = std::get<Binarize>(steps[i].op);
    for (std::size_t way = 0; way < binarize.count; ++way) {
      fused.signs[fused.count++] = signs_of(draft, fused.conv, binarize.signs[way]);
      step.writes.push_back(binarize.signs[way].output);
    }
    steps[i].when = When::trace;
  }
  steps[at].when = When::trace;
  fused.conv.weights = retile(fused.conv, draft.kernels.quad_outputs, draft.weights);
  fused.conv.offset = filled_offsets(fused.conv, draft.weights);
  step.units = divide_up(fused.conv.outputs, bits_per_plane);
  step.op = fused;
  fusion.add_run_step(at, std::move(step));
}

}  // namespace

void fuse_signs(Fusion& fusion) {
  const StandardFloats floats;  // limits are found in the arithmetic of a run
  const std::vector<Step>& steps = fusion.draft.steps();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto* conv = std::get_if<QuantizedConv>(&steps[i].op);
    if (conv == nullptr || conv->output == fusion.output || !can_sign(fusion.draft.kernels, *conv))
      continue;
    const std::vector<std::size_t>& readers = fusion.readers[conv->output];
    const std::size_t ways = ways_of(steps, readers);
    if (ways == 0 || ways > most_quad_signs) continue;
    fuse_readers(fusion, i, readers);
  }
}

}  // namespace bnas
