// From floats to activations of 7 bits, four channels of a pixel in one 32-bit lane; what is done
// once a pixel, before an 8-bit convolution looks at it once a tap.

constexpr float greatest_activation = 127.0f;

std::uint32_t* quad_plane(const Frame& frame, ValueId id, std::size_t plane) {
  return reinterpret_cast<std::uint32_t*>(float_plane(frame, id, plane));
}

// How the four channels of a plane are quantized; those beyond the last read an existing one and
// become zero.
struct QuadChannels {
  const float* plane[channels_per_quad];
  Floats scale[channels_per_quad], zero[channels_per_quad];
};

QuadChannels quad_channels(const Quantize& step, const Frame& frame, std::size_t plane) {
  QuadChannels channels;
  for (std::size_t i = 0; i < channels_per_quad; ++i) {
    const std::size_t c = plane * channels_per_quad + i;
    const bool exists = c < step.channels;
    channels.plane[i] = float_plane(frame, step.input, exists ? c : step.channels - 1);
    channels.scale[i] = broadcast_float(exists ? step.scale[c] : 0.0f);
    channels.zero[i] = broadcast_float(exists ? step.zero[c] : 0.0f);
  }
  return channels;
}

// Clamped to what the rounding expects; NaN becomes 0, since relu_floats takes its zero then.
Floats clamp_activations(Floats x) {
  return min_floats(relu_floats(x), broadcast_float(greatest_activation));
}

void quantize(const Quantize& step, const Frame& frame, Range range) {
  const std::size_t count = pixels(planes_of(frame, step.input));
  for (std::size_t plane = range.begin; plane < range.end; ++plane) {
    const QuadChannels in = quad_channels(step, frame, plane);
    std::uint32_t* out = quad_plane(frame, step.output, plane);
    for (std::size_t i = 0; i < count; i += float_lanes) {
      Floats t[channels_per_quad];
#pragma GCC unroll 4
      for (std::size_t c = 0; c < channels_per_quad; ++c) {
        const Floats x = load_floats(in.plane[c] + i);
        t[c] = clamp_activations(fma_floats(x, in.scale[c], in.zero[c]));
      }
      store_rounded(out + i, t[0], t[1], t[2], t[3]);
    }
  }
}
