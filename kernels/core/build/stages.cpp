#include "core/build/stages.h"

#include <algorithm>

namespace bnas {
namespace {

Stage make_stage(Draft& draft, const StageSpec& s, const Sections& sections) {
  const std::size_t outputs = sections.count * sections.outputs;
  Stage stage{};
  stage.kind = s.kind;
  stage.output = s.output;
  if (s.kind == Stage::Kind::threshold) {
    stage.limit = pair_limits(s.threshold, draft.weights);
    stage.inverted = invert_flips(s.flip.data, sections, draft.weights);
    return stage;
  }
  stage.scale = draft.weights.copy(s.scale.data, outputs);
  if (s.shift.size != 0) stage.shift = draft.weights.copy(s.shift.data, outputs);
  stage.relu = s.relu;
  stage.accumulate = s.has_addend;
  stage.at = s.at;
  return stage;
}

const float* twice(Array<float> values, Tables& tables) {
  float* doubled = tables.allocate<float>(values.size);
  std::transform(values.data, values.data + values.size, doubled, [](float x) { return 2 * x; });
  return doubled;
}

const float* fill_up(const float* values, std::size_t count, std::size_t padded, Tables& tables) {
  float* to = tables.allocate<float>(padded);
  std::copy(values, values + count, to);
  return to;
}

}  // namespace

std::vector<Stage> make_stages(Draft& draft, const std::vector<StageSpec>& specs,
                               const Sections& sections) {
  std::vector<Stage> stages;
  for (const StageSpec& s : specs) {
    stages.push_back(make_stage(draft, s, sections));
    if (s.has_addend) draft.copy_for_update(s.addend, s.output);
  }
  return stages;
}

bool make_rooms(Draft& draft, const std::vector<StageSpec>& specs, const DotBase& base,
                const BinaryShape& shape, std::vector<Stage>& stages, std::uint8_t& greatest_room) {
  if (shape.taps * planes_for(shape.channels) > bytewise_steps) return false;
  const std::size_t planes = shape.groups * planes_for(shape.sections().outputs);
  std::vector<std::vector<std::uint8_t>> rooms, inverted;
  for (const StageSpec& s : specs) {
    const std::uint8_t* bits = stages[rooms.size()].inverted;
    const std::size_t bytes = s.kind == Stage::Kind::threshold ? planes : 0;
    inverted.emplace_back(bits, bits + bytes);
    rooms.push_back(base.rooms(s, inverted.back().data()));
    if (rooms.back().empty()) return false;
    greatest_room =
        std::max(greatest_room, *std::max_element(rooms.back().begin(), rooms.back().end()));
  }
  for (std::size_t i = 0; i < stages.size(); ++i) {
    stages[i].room = draft.tables.copy(rooms[i]);
    stages[i].inverted = draft.weights.copy(inverted[i]);
    stages[i].scale = twice(specs[i].scale, draft.weights);
  }
  return true;
}

const std::int16_t* fill_up_stages(Draft& draft, std::vector<Stage>& stages, std::size_t outputs,
                                   std::size_t padded) {
  auto* limits = draft.tables.allocate<std::int16_t>(product(stages.size(), padded));
  std::int16_t* next = limits;
  for (Stage& stage : stages) {
    if (stage.kind == Stage::Kind::scale) {
      stage.scale = fill_up(stage.scale, outputs, padded, draft.weights);
      if (stage.shift != nullptr)
        stage.shift = fill_up(stage.shift, outputs, padded, draft.weights);
    } else {
      std::transform(stage.limit, stage.limit + outputs, next,
                     [](std::uint32_t pair) { return static_cast<std::int16_t>(pair); });
    }
    next += padded;
  }
  return limits;
}

std::vector<ValueId> outputs_of(const std::vector<Stage>& stages) {
  std::vector<ValueId> outputs;
  for (const Stage& stage : stages) outputs.push_back(stage.output);
  return outputs;
}

}  // namespace bnas
