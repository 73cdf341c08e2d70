// An 8-bit convolution whose sums become signs at once: its floats are never made.

template <std::size_t vectors>
[[gnu::always_inline]] inline void mark_signs(const Sums (&sums)[bits_per_plane][vectors],
                                              const std::int32_t* limit, std::uint8_t inverted,
                                              std::uint8_t* out) {
#pragma GCC unroll 4
  for (std::size_t v = 0; v < vectors; ++v) {
    Sums marks = broadcast_sum(0);
#pragma GCC unroll 8
    for (std::size_t o = 0; o < bits_per_plane; ++o)
      marks = mark_sums(marks, sums[o][v], limit[o], 1 << o);
    store_marks(out + v * float_lanes, marks, inverted);
  }
}

template <std::size_t vectors>
void sign_plane(const QuadSigns& step, const Frame& frame, const QuadChunk& chunk,
                std::size_t plane) {
  const std::size_t first = plane * bits_per_plane;
  Sums sums[bits_per_plane][vectors];
#pragma GCC unroll 8
  for (std::size_t o = 0; o < bits_per_plane; ++o) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < vectors; ++v)
      sums[o][v] = broadcast_sum(step.conv.offset[first + o]);
  }
  add_quad_rows<vectors, bits_per_plane>(chunk, step.conv.weights + first * step.conv.rows, sums);
  for (std::size_t i = 0; i < step.count; ++i) {
    const QuadSigns::Signs& signs = step.signs[i];
    mark_signs<vectors>(sums, signs.limit + first, signs.inverted[plane],
                        byte_plane(frame, signs.output, plane) + chunk.first_vector * float_lanes);
  }
}

template <std::size_t vectors>
void sign_vectors(const QuadSigns& step, const Frame& frame, Range some, Range planes) {
  if (some.end - some.begin == vectors) {
    const QuadChunk chunk = gather_chunk(step.conv, frame, 0, some.begin, vectors);
    for (std::size_t plane = planes.begin; plane < planes.end; ++plane)
      sign_plane<vectors>(step, frame, chunk, plane);
  } else if constexpr (vectors > 1) {
    sign_vectors<vectors - 1>(step, frame, some, planes);
  }
}

void quad_signs(const QuadSigns& step, const Frame& frame, Range range) {
  const std::size_t vectors = step.conv.taps.vectors;
  const std::size_t strips = (vectors + quad_vectors - 1) / quad_vectors;
  for (std::size_t strip = 0; strip < strips; ++strip)
    sign_vectors<quad_vectors>(step, frame, even_part(vectors, strip, strips), range);
}
