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

float mean_of(const float* x, std::size_t count) {
  float sums[16] = {};
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (std::size_t j = 0; j < 16; ++j) sums[j] += x[i + j];
  }
  for (std::size_t j = 0; i + j < count; ++j) sums[j] += x[i + j];
  for (std::size_t half = 8; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  }
  return sums[0] / static_cast<float>(count);
}

void global_avg_pool(const GlobalAvgPool& step, const Frame& frame, Range range) {
  const std::size_t count = pixels(planes_of(frame, step.input));
  for (std::size_t c = range.begin; c < range.end; ++c) {
    *float_plane(frame, step.output, c) = mean_of(float_plane(frame, step.input, c), count);
  }
}
