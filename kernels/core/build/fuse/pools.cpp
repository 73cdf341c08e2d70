// A binary convolution and the pool of its floats: greatest bytes become floats, instead of bytes
// that become floats the greatest of which is looked for. A scale keeps the order of what it
// multiplies, also when it rounds, so that the result is the same.
#include "core/build/fuse/fuse.h"
#include <utility>
#include <variant>

#include "core/sizes.h"

namespace bnas {
namespace {

// What pool_bytes does.
bool pools_bytes(const Pool& pool) {
  const Window& w = pool.window;
  return !pool.average && pool.halves && w.kernel_h == 3 && w.kernel_w == 3 && w.stride_y == 2 &&
         w.dilation_y == 1 && w.dilation_x == 1 && w.pad_top == 1 && w.in_w == 2 * w.out_w &&
         w.out_h == divide_up(w.in_h, 2);
}

// The convolution whose floats can stay bytes, or null: a bytewise scale is that of a ReLU.
const BinaryConv* leaves_bytes(const Draft& draft, const Step* writer, ValueId id) {
  const auto* conv = writer == nullptr ? nullptr : std::get_if<BinaryConv>(&writer->op);
  if (conv == nullptr || !conv->bytewise || conv->stage_count != 1) return nullptr;
  const Stage& stage = *conv->stages;
  const bool whole = stage.kind == Stage::Kind::scale && !stage.accumulate && stage.at == 0 &&
                     conv->outputs == draft.planes(id).planes;
  return whole ? conv : nullptr;
}

const std::uint64_t* pixels_before(const Kernels& kernels, const Window& w, Tables& tables) {
  const std::size_t lanes = kernels.byte_lanes;
  auto* inside = tables.allocate<std::uint64_t>(round_up(divide_up(w.in_h * w.in_w, lanes), 2));
  for (std::size_t i = 0; i < w.in_h * w.in_w; ++i) {
    if (i % w.in_w != 0) inside[i / lanes] |= std::uint64_t{1} << i % lanes;
  }
  return inside;
}

// Two planes of half the columns, with rows and vectors before and behind.
std::size_t pool_scratch(const Window& w) {
  return 2 * (round_up(product(w.in_h + 2, w.out_w), max_lanes) + 3 * max_lanes);
}

// Where a value is written and pooled, in the list of steps.
struct Pair {
  std::size_t conv, pool;
};

void fuse_pair(Fusion& fusion, Pair at) {
  Draft& draft = fusion.draft;
  std::vector<Step>& steps = draft.steps();
  BinaryConv conv = std::get<BinaryConv>(steps[at.conv].op);
  const Pool pool = std::get<Pool>(steps[at.pool].op);
  const Window& w = pool.window;
  // A plane more: vectors read behind the last.
  const ValueId bytes = draft.add_hidden(Kind::bits, conv.outputs + 1, w.in_h, w.in_w);
  Stage stage = *conv.stages;
  const float* scale = stage.scale;
  stage.kind = Stage::Kind::bytes;
  stage.output = bytes;
  conv.stages = draft.tables.copy(std::vector<Stage>{stage});
  const PoolBytes pooled{bytes, pool.output, scale, pixels_before(draft.kernels, w, draft.tables)};
  draft.need_scratch(pool_scratch(w));
  steps[at.conv].when = steps[at.pool].when = When::trace;
  Step first{steps[at.conv].program_step, conv, steps[at.conv].units, {conv.input}, {bytes}};
  Step second{steps[at.pool].program_step, pooled, steps[at.pool].units, {bytes}, {pool.output}};
  fusion.add_run_step(at.conv, std::move(first));
  fusion.add_run_step(at.pool, std::move(second));
}

}  // namespace

void fuse_pools(Fusion& fusion) {
  const Draft& draft = fusion.draft;
  const std::vector<Step>& steps = fusion.draft.steps();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto* pool = std::get_if<Pool>(&steps[i].op);
    if (pool == nullptr || steps[i].when != When::always || !pools_bytes(*pool)) continue;
    const Step* writer = draft.writer_of(pool->input);
    if (leaves_bytes(draft, writer, pool->input) == nullptr || pool->input == fusion.output ||
        fusion.readers[pool->input].size() != 1)
      continue;
    fuse_pair(fusion, {static_cast<std::size_t>(writer - steps.data()), i});
  }
}

}  // namespace bnas
