// Pools of float planes, whichever way, and the mean of a whole plane in the order of
// docs/format.md.

void pool(const Pool& step, const Frame& frame, Range range) {
  if (step.halves) {
    pool_halves(step, frame, range);
  } else if (step.average) {
    pool_as<Average>(step, frame, range);
  } else {
    pool_as<Greatest>(step, frame, range);
  }
}

constexpr std::size_t mean_sums = 16;  // partial sums of a plane

// Partial sums of a plane: every sixteenth pixel. No sum is -0, as all start from +0, so that
// adding +0 for pixels behind the last changes nothing.
void add_sixteenths(const float* x, std::size_t count, float* sums) {
  constexpr std::size_t vectors = mean_sums / float_lanes;
  Floats sum[vectors];
  for (Floats& s : sum) s = zero_floats();
  std::size_t i = 0;
  for (; i + mean_sums <= count; i += mean_sums) {
    for (std::size_t v = 0; v < vectors; ++v)
      sum[v] = add_floats(sum[v], load_floats(x + i + v * float_lanes));
  }
  for (std::size_t v = 0; v < vectors; ++v) {
    const std::size_t first = i + v * float_lanes, rest = count > first ? count - first : 0;
    const std::uint64_t mask = (std::uint64_t{1} << smaller(rest, float_lanes)) - 1;
    if (mask != 0) sum[v] = add_floats(sum[v], load_floats_or(x + first, mask, zero_floats()));
    store_floats(sums + v * float_lanes, sum[v]);
  }
}

#ifdef BNAS_ADD_HALVES
float mean_of(const float* x, std::size_t count) {
  alignas(64) float sums[mean_sums];
  add_sixteenths(x, count, sums);
  return add_all_halves(load_floats(sums)) / static_cast<float>(count);
}

void global_avg_pool(const GlobalAvgPool& step, const Frame& frame, Range range) {
  const std::size_t count = pixels(planes_of(frame, step.input));
  for (std::size_t plane = range.begin; plane < range.end; ++plane)
    *float_plane(frame, step.output, plane) = mean_of(float_plane(frame, step.input, plane), count);
}
#else
constexpr std::size_t meant_planes = 16;  // at a time: each waits for its own sums only

// Adds the upper half of the sums onto the lower; what lies behind is written over, too.
void add_halves(float* sums, std::size_t half) {
  for (std::size_t j = 0; j < half; j += float_lanes)
    store_floats(sums + j, add_floats(load_floats(sums + j), load_floats(sums + j + half)));
}

void global_avg_pool(const GlobalAvgPool& step, const Frame& frame, Range range) {
  const std::size_t count = pixels(planes_of(frame, step.input));
  alignas(64) float sums[meant_planes][2 * mean_sums] = {};
  for (std::size_t begin = range.begin; begin < range.end; begin += meant_planes) {
    const std::size_t planes = smaller(meant_planes, range.end - begin);
    for (std::size_t i = 0; i < planes; ++i)
      add_sixteenths(float_plane(frame, step.input, begin + i), count, sums[i]);
    for (std::size_t half = mean_sums / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < planes; ++i) add_halves(sums[i], half);
    }
    for (std::size_t i = 0; i < planes; ++i)
      *float_plane(frame, step.output, begin + i) = sums[i][0] / static_cast<float>(count);
  }
}
#endif
