#include "core/build/windows.h"

#include "core/sizes.h"

namespace bnas {

Window window_of(const Draft& draft, const WindowSpec& spec, ValueId input, ValueId output) {
  const Planes& in = draft.planes(input);
  const Planes& out = draft.planes(output);
  return {spec.kernel[0],   spec.kernel[1],  spec.stride[0],  spec.stride[1],  spec.dilation[0],
          spec.dilation[1], spec.padding[0], spec.padding[1], spec.padding[2], spec.padding[3],
          in.height,        in.width,        out.height,      out.width};
}

Taps make_taps(Draft& draft, const Geometry& g, const Window& window) {
  return {g.gather,
          taps_of(window),
          g.pattern.size(),
          draft.tables.copy(g.offset),
          draft.tables.copy(g.pattern),
          draft.tables.copy(g.inside),
          window};
}

ValueId split_phases(Draft& draft, const Geometry& g, const Window& window, ValueId input) {
  if (g.phases.empty()) return input;
  const Kind kind = draft.kind(input);
  const std::size_t planes = draft.planes(input).planes, slots = g.phases.size();
  const ValueId output = draft.add_hidden(kind, product(slots, planes), g.phase_h, g.phase_w);
  const std::size_t* first = draft.tables.copy(g.phases.front().data(), 2 * slots);
  const bool halves = kind == Kind::bits && window.stride_y == 2 && window.stride_x == 2 &&
                      2 * g.phase_w == window.in_w;
  if (halves) draft.need_scratch(2 * sum(product(g.phase_w, window.in_h), phase_block));
  draft.add_step(SplitPhases{input, output, kind, window.stride_y, window.stride_x, g.phase_h,
                             g.phase_w, first, slots, planes, halves},
                 planes, {input}, {output});
  return output;
}

}  // namespace bnas
