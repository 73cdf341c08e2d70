// The steps of the builder that have windows: geometry, weights, stages.
#include <algorithm>
#include <utility>

#include "core/build/builder.h"

namespace bnas {
namespace {

constexpr std::size_t rows_in_cache = 128;  // times 4 vectors of 64 bytes: 32 KiB

bool column_inside(const Window& w, std::size_t kx, std::size_t x) {
  const std::size_t column = x * w.stride_x + kx;  // of the padded image
  return column >= w.pad_left && column - w.pad_left < w.in_w;
}

// A power of two divides as well as its inverse multiplies, to the bit.
float exact_inverse(const Window& w) {
  const std::size_t taps = taps_of(w);
  const bool complete = w.pad_top + w.pad_left == 0 &&
                        (w.out_h - 1) * w.stride_y + w.kernel_h <= w.in_h &&
                        (w.out_w - 1) * w.stride_x + w.kernel_w <= w.in_w;
  return complete && (taps & (taps - 1)) == 0 ? 1.0f / static_cast<float>(taps) : 0.0f;
}

}  // namespace

Taps Builder::make_taps(const Geometry& g, const Window& window) {
  return {g.gather,
          taps_of(window),
          g.pattern.size(),
          tables_.copy(g.offset),
          tables_.copy(g.pattern),
          tables_.copy(g.inside),
          window};
}

ValueId Builder::split_phases(const Geometry& g, const Window& window, ValueId input, bool bits) {
  if (g.phases.empty()) return input;
  const std::size_t planes = values_[input].planes.planes;
  const std::size_t slots = g.phases.size();
  const ValueId output = add_hidden(bits, slots * planes, g.phase_h, g.phase_w);
  const std::size_t* first = tables_.copy(g.phases.front().data(), 2 * slots);
  add_step(SplitPhases{input, output, bits, window.stride_y, window.stride_x, g.phase_h, g.phase_w,
                       first, slots, planes},
           planes, {input}, {output});
  return output;
}

void Builder::require_pool(const Window& window, ValueId input, ValueId output) const {
  require(window.dilation_y == 1 && window.dilation_x == 1, "a pool has no dilation");
  require(std::max(window.pad_top, window.pad_bottom) < window.kernel_h &&
              std::max(window.pad_left, window.pad_right) < window.kernel_w,
          "the padding of a pool must be less than its kernel");
  require_size("output channels", values_[output].planes.channels, values_[input].planes.channels);
}

void Builder::add_pool(const PoolSpec& spec) {
  const Window window = window_for(spec.window, spec.input, spec.output, false, false);
  require_pool(window, spec.input, spec.output);
  const std::size_t channels = values_[spec.input].planes.channels;
  const std::size_t lanes = kernels_.float_lanes;
  const std::size_t vectors = divide_up(window.out_w, lanes);
  auto* columns = tables_.allocate<std::uint64_t>(window.kernel_w * vectors);
  auto* counts = tables_.allocate<float>(vectors * lanes);
  for (std::size_t kx = 0; kx < window.kernel_w; ++kx) {
    for (std::size_t x = 0; x < window.out_w; ++x) {
      if (!column_inside(window, kx, x)) continue;
      columns[x / lanes * window.kernel_w + kx] |= std::uint64_t{1} << x % lanes;
      counts[x] += 1.0f;
    }
  }
  add_step(Pool{spec.input, spec.output, window, spec.average, vectors, columns, counts,
                exact_inverse(window)},
           channels, {spec.input}, {spec.output});
  ++program_steps_;
}

void Builder::add_conv2d(const Conv2dSpec& spec) {
  const Window window = window_for(spec.window, spec.input, spec.output, false, false);
  const std::size_t planes = values_[spec.input].planes.channels;
  const std::size_t outputs = values_[spec.output].planes.channels;
  require_groups(spec.groups, planes, outputs);
  const Sections sections{spec.groups, outputs / spec.groups};
  const std::size_t channels = planes / spec.groups;
  const std::size_t k = channels * taps_of(window);
  require_size("weight", spec.weight.size, outputs * k);
  if (spec.bias.size != 0) require_size("bias", spec.bias.size, outputs);
  const Geometry geometry = make_geometry(window, kernels_.float_lanes, planes, max_float_lanes);
  const ValueId input = split_phases(geometry, window, spec.input, false);
  const Conv2d op{input,
                  spec.output,
                  make_taps(geometry, window),
                  channels,
                  outputs,
                  sections,
                  std::max<std::size_t>(1, rows_in_cache / taps_of(window)),
                  tile_weights(spec.weight.data, sections, k, kernels_.float_outputs, weights_),
                  pad_bias(spec.bias, outputs, weights_),
                  spec.relu};
  need_scratch(op.chunk * taps_of(window) * kernels_.float_vectors * kernels_.float_lanes *
               sizeof(float));
  const std::size_t groups = divide_up(op.taps.vectors, kernels_.float_vectors);
  const std::size_t tiles = spec.groups * divide_up(sections.outputs, kernels_.float_outputs);
  add_step(op, groups * tiles, {input}, {spec.output});
  ++program_steps_;
}

Stage Builder::make_stage(const StageSpec& spec, const Planes& out, const Sections& sections) {
  const std::size_t outputs = sections.count * sections.outputs;
  Stage stage{};
  stage.kind = spec.kind;
  stage.output = spec.output;
  if (spec.kind == Stage::Kind::threshold) {
    require_size("output channels", out.channels, outputs);
    require_size("threshold", spec.threshold.size, outputs);
    require_size("flip", spec.flip.size, divide_up(outputs, 64));
    stage.limit = pair_limits(spec.threshold, weights_);
    stage.inverted = invert_flips(spec.flip.data, sections, weights_);
    return stage;
  }
  require_size("scale", spec.scale.size, outputs);
  require(spec.at <= out.channels && outputs <= out.channels - spec.at,
          "a stage does not fit its output's channels");
  require(spec.has_addend || (spec.at == 0 && out.channels == outputs),
          "a stage without addend must fill its output");
  stage.scale = weights_.copy(spec.scale.data, outputs);
  if (spec.shift.size != 0) {
    require_size("shift", spec.shift.size, outputs);
    stage.shift = weights_.copy(spec.shift.data, outputs);
  }
  stage.relu = spec.relu;
  stage.accumulate = spec.has_addend;
  stage.at = spec.at;
  return stage;
}

// Also adds the copies of the addends that the stages add onto.
std::vector<Stage> Builder::make_stages(const BinaryConvSpec& spec, const Window& window,
                                        const Sections& sections) {
  std::vector<Stage> stages;
  for (const StageSpec& s : spec.stages) {
    const Planes& out = shape_of(s.output, s.kind == Stage::Kind::threshold);
    require(out.height == window.out_h && out.width == window.out_w,
            "stages differ in their output's height or width");
    stages.push_back(make_stage(s, out, sections));
    if (!s.has_addend) continue;
    shape_of(s.addend, false);
    require_same_shape(s.addend, s.output);
    copy_for_update(s.addend, s.output);
  }
  return stages;
}

// Whether all stages can look at bytes; what they need for that. Nothing is kept unless all can.
bool Builder::make_rooms(const BinaryConvSpec& spec, const DotBase& base, const BinaryShape& shape,
                         std::vector<Stage>& stages) {
  if (shape.taps * planes_for(shape.channels) > bytewise_steps) return false;
  const std::size_t planes = shape.groups * planes_for(shape.sections().outputs);
  std::vector<std::vector<std::uint8_t>> rooms, inverted;
  for (const StageSpec& s : spec.stages) {
    const std::uint8_t* bits = stages[rooms.size()].inverted;
    const std::size_t bytes = s.kind == Stage::Kind::threshold ? planes : 0;
    inverted.emplace_back(bits, bits + bytes);
    rooms.push_back(base.rooms(s, inverted.back().data()));
    if (rooms.back().empty()) return false;
  }
  for (std::size_t i = 0; i < stages.size(); ++i) {
    stages[i].room = tables_.copy(rooms[i]);
    stages[i].inverted = weights_.copy(inverted[i]);
    stages[i].scale = twice(spec.stages[i].scale);
  }
  return true;
}

const float* Builder::twice(Array<float> values) {
  float* doubled = weights_.allocate<float>(values.size);
  std::transform(values.data, values.data + values.size, doubled, [](float x) { return 2 * x; });
  return doubled;
}

void Builder::add_binary_conv2d(const BinaryConvSpec& spec) {
  require(!spec.stages.empty(), "a binary convolution needs at least one stage");
  const bool first_bits = spec.stages[0].kind == Stage::Kind::threshold;
  const Window window =
      window_for(spec.window, spec.input, spec.stages[0].output, true, first_bits);
  const Planes in = values_[spec.input].planes;
  const std::size_t outputs = spec.stages[0].output_size();
  require_groups(spec.groups, in.channels, outputs);
  const std::size_t channels = in.channels / spec.groups;
  const std::size_t words_per_row = divide_up(taps_of(window) * channels, 64);
  const BinaryShape shape{outputs, channels, taps_of(window), spec.groups};
  require_size("weight", spec.weight.size, shape.outputs * words_per_row);
  if (spec.fold.size != 0) require_size("fold", spec.fold.size, shape.outputs * shape.taps);
  require(dot_bound(spec, shape) <= 32767,
          "the engine holds dot products in 16 bits; this one can reach " +
              std::to_string(dot_bound(spec, shape)));
  std::vector<Stage> stages = make_stages(spec, window, shape.sections());
  if (turning_pays(shape, window)) {
    add_turned_conv(spec, shape, window, std::move(stages));
  } else {
    add_bit_conv(spec, shape, window, std::move(stages));
  }
  ++program_steps_;
}

void Builder::add_bit_conv(const BinaryConvSpec& spec, const BinaryShape& shape,
                           const Window& window, std::vector<Stage> stages) {
  const Sections sections = shape.sections();
  const std::size_t planes = planes_for(shape.channels);  // that an output reads
  const ValueId aligned = align_input(spec.input, shape.groups);
  std::vector<ValueId> writes, packed;
  for (Stage& stage : stages) {
    packed.push_back(stage.output);
    const bool bits = stage.kind == Stage::Kind::threshold;
    if (bits && sections.count > 1 && sections.outputs % bits_per_plane != 0)
      stage.output = add_aligned(sections, window.out_h, window.out_w);
    writes.push_back(stage.output);
  }
  const Geometry geometry =
      make_geometry(window, kernels_.byte_lanes, values_[aligned].planes.planes, max_lanes);
  const ValueId input = split_phases(geometry, window, aligned, true);
  const Taps taps = make_taps(geometry, window);
  const DotBase base(spec, shape, geometry, kernels_.byte_lanes);
  const bool bytewise = make_rooms(spec, base, shape, stages);
  const BinaryConv op{input,
                      taps,
                      planes,
                      shape.taps * planes,
                      shape.outputs,
                      sections,
                      tile_bits(spec.weight.data, shape, weights_),
                      bytewise,
                      bytewise ? nullptr : base.words(tables_),
                      tables_.copy(stages),
                      stages.size()};
  need_scratch(op.steps * kernels_.binary_vectors * kernels_.byte_lanes +
               op.steps * shape.outputs * sizeof(std::uint32_t) + cache_line);
  const std::size_t groups = divide_up(taps.vectors, kernels_.binary_vectors);
  add_step(op, groups * sections.count * planes_for(sections.outputs), {input}, writes);
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (writes[i] != packed[i]) repack_bits(writes[i], packed[i], sections, false);
  }
}

}  // namespace bnas
