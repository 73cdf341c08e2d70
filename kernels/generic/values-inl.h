// Where the planes of a value lie in a frame; no arithmetic on their contents.

const Planes& planes_of(const Frame& frame, ValueId id) { return frame.values[id]; }

std::size_t pixels(const Planes& value) { return value.height * value.width; }

std::uint8_t* byte_plane(const Frame& frame, ValueId id, std::size_t plane) {
  const Planes& value = frame.values[id];
  return frame.arena + value.offset + plane * value.stride;
}

float* float_plane(const Frame& frame, ValueId id, std::size_t plane) {
  const Planes& value = frame.values[id];
  return reinterpret_cast<float*>(frame.arena + value.offset) + plane * value.stride;
}

std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }

Floats zero_floats() { return broadcast_float(0.0f); }

Floats relu_floats(Floats x) { return max_floats(x, zero_floats()); }
