// Where the planes of a value lie in a frame.

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

// Part `index` of `count` even parts of [0, total).
Range even_part(std::size_t total, std::size_t index, std::size_t count) {
  const std::uint64_t all = total;
  return {static_cast<std::size_t>(all * index / count),
          static_cast<std::size_t>(all * (index + 1) / count)};
}

std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }

// Tiles of `size` outputs in one section.
std::size_t section_tiles(const Sections& sections, std::size_t size) {
  return (sections.outputs + size - 1) / size;
}

// Calls body(section, tiles) for the sections that a range of tiles touches, tiles counted from the
// section's first.
template <class Body>
void for_each_section(const Sections& sections, std::size_t size, Range tiles, Body body) {
  const std::size_t count = section_tiles(sections, size);
  for (std::size_t tile = tiles.begin; tile < tiles.end;) {
    const std::size_t first = tile % count;
    const std::size_t some = smaller(count - first, tiles.end - tile);
    body(tile / count, Range{first, first + some});
    tile += some;
  }
}

// Vectors of pixels that are worked on at a time make a strip. Units of a convolution count through
// the tiles of outputs of one strip after the other. Calls body(strip, tiles) for the strips that a
// range touches.
template <class Body>
void for_each_strip(Range range, std::size_t tiles, Body body) {
  for (std::size_t unit = range.begin; unit < range.end;) {
    const std::size_t tile = unit % tiles;
    const std::size_t count = smaller(tiles - tile, range.end - unit);
    body(unit / tiles, Range{tile, tile + count});
    unit += count;
  }
}

Floats zero_floats() { return broadcast_float(0.0f); }

Floats relu_floats(Floats x) { return max_floats(x, zero_floats()); }
