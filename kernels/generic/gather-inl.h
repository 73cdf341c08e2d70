// Bringing the taps of a convolution together in scratch memory, outside the image zero; and taking
// strided images apart so that this is a matter of shifted loads.
//
// Scratch layout: [tap][plane][vector][lane] for bytes (taps outermost, as in a row of binary
// weights), [plane][tap][vector][lane] for floats (planes outermost, as in a row of float weights).

constexpr std::size_t lanes_of(const std::uint8_t*) { return byte_lanes; }
constexpr std::size_t lanes_of(const float*) { return float_lanes; }
constexpr std::size_t lanes_of(const std::uint32_t*) { return float_lanes; }
void copy_masked(std::uint8_t* out, const std::uint8_t* in, std::uint64_t mask) {
  store_bytes(out, mask != 0 ? load_bytes_masked(in, mask) : zero_bytes());
}
void copy_masked(float* out, const float* in, std::uint64_t mask) {
  store_floats(out, mask != 0 ? load_floats_or(in, mask, zero_floats()) : zero_floats());
}

template <class T>
struct Source {
  const T* planes;
  std::size_t stride, count;
};

// How far apart two taps, and two planes, lie in scratch memory.
struct ScratchSteps {
  std::size_t tap, plane;
};

template <class T>
void gather_shifted(const Taps& taps, Source<T> source, std::size_t first, std::size_t vectors,
                    T* out, ScratchSteps steps) {
  constexpr std::size_t lanes = lanes_of(static_cast<const T*>(nullptr));
  for (std::size_t v = 0; v < vectors; ++v) {
    const std::uint64_t* inside = taps.inside + taps.pattern[first + v] * taps.taps;
    for (std::size_t t = 0; t < taps.taps; ++t) {
      // A tap that no pixel has inside the image may lie far outside the memory.
      const std::ptrdiff_t shift =
          inside[t] != 0 ? static_cast<std::ptrdiff_t>((first + v) * lanes) + taps.offset[t] : 0;
      const T* in = source.planes + shift;
      T* to = out + t * steps.tap + v * lanes;
      for (std::size_t g = 0; g < source.count; ++g)
        copy_masked(to + g * steps.plane, in + g * source.stride, inside[t]);
    }
  }
}

// Output pixels [pixel, pixel + count) of one output row for one tap and one plane.
template <class T>
void gather_row(const Window& w, const T* plane, std::size_t tap, std::size_t pixel,
                std::size_t count, T* out, T outside) {
  const std::size_t y = pixel / w.out_w * w.stride_y + tap / w.kernel_w * w.dilation_y;
  const std::size_t x = pixel % w.out_w * w.stride_x + tap % w.kernel_w * w.dilation_x;
  const bool row_inside = y >= w.pad_top && y - w.pad_top < w.in_h;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t column = x + i * w.stride_x;
    const bool inside = row_inside && column >= w.pad_left && column - w.pad_left < w.in_w;
    out[i] = inside ? plane[(y - w.pad_top) * w.in_w + column - w.pad_left] : outside;
  }
}

template <class T>
void gather_rows(const Taps& taps, Source<T> source, std::size_t first, std::size_t vectors, T* out,
                 ScratchSteps steps, T outside) {
  constexpr std::size_t lanes = lanes_of(static_cast<const T*>(nullptr));
  const Window& w = taps.window;
  const std::size_t begin = first * lanes;
  const std::size_t end = smaller(begin + vectors * lanes, w.out_h * w.out_w);
  for (std::size_t t = 0; t < taps.taps; ++t) {
    for (std::size_t g = 0; g < source.count; ++g) {
      T* to = out + t * steps.tap + g * steps.plane;
      std::memset(to, 0, vectors * lanes * sizeof(T));
      for (std::size_t pixel = begin; pixel < end;) {
        const std::size_t count = smaller(end - pixel, w.out_w - pixel % w.out_w);
        gather_row(w, source.planes + g * source.stride, t, pixel, count, to + (pixel - begin),
                   outside);
        pixel += count;
      }
    }
  }
}

template <class T>
void gather(const Taps& taps, Source<T> source, std::size_t first, std::size_t vectors, T* out,
            ScratchSteps steps) {
  if (taps.gather == Gather::rows) {
    gather_rows(taps, source, first, vectors, out, steps, T{0});
  } else {
    gather_shifted(taps, source, first, vectors, out, steps);
  }
}

void copy_strided(std::uint8_t* __restrict out, const std::uint8_t* __restrict in,
                  std::size_t count, std::size_t stride) {
  std::size_t x = 0;
  for (; stride == 2 && x + phase_block <= count; x += phase_block)
    store_even_bytes(out + x, in + 2 * x);
  for (; x < count; ++x) out[x] = in[stride * x];
}

void copy_strided(float* out, const float* in, std::size_t count, std::size_t stride) {
  if (stride == 2) {
    for (std::size_t x = 0; x < count; x += float_lanes) {
      store_floats_some(out + x, even_floats(in + 2 * x), smaller(float_lanes, count - x));
    }
  } else {
    for (std::size_t x = 0; x < count; ++x) out[x] = in[stride * x];
  }
}

template <class T>
void split_plane(const SplitPhases& s, const Planes& in, const T* plane, std::size_t slot, T* out) {
  const std::size_t y0 = s.first[2 * slot], x0 = s.first[2 * slot + 1];
  const std::size_t columns = x0 < in.width ? (in.width - x0 + s.stride_x - 1) / s.stride_x : 0;
  for (std::size_t y = 0; y < s.height; ++y) {
    const std::size_t row = y * s.stride_y + y0;
    if (row < in.height)
      copy_strided(out + y * s.width, plane + row * in.width + x0, columns, s.stride_x);
  }
}

// Even and odd columns of a plane of bytes, rows one behind the other; writes whole blocks.
void split_columns(const std::uint8_t* __restrict in, std::size_t pairs,
                   std::uint8_t* __restrict even, std::uint8_t* __restrict odd) {
  for (std::size_t i = 0; i < pairs; i += phase_block) {
    store_even_bytes(even + i, in + 2 * i);
    store_even_bytes(odd + i, in + 2 * i + 1);
  }
}

// Every second row, from row `from` on.
void split_rows(const std::uint8_t* in, std::size_t width, std::size_t height, std::size_t from,
                std::uint8_t* out) {
  constexpr std::size_t some = 8;  // bytes, in a register
  for (std::size_t y = from; y < height; y += 2, out += width) {
    const std::uint8_t* row = in + y * width;
    std::size_t x = 0;
    for (; x + some <= width; x += some) std::memcpy(out + x, row + x, some);
    for (; x < width; ++x) out[x] = row[x];
  }
}

// All phases of an image of bits that is split into halves.
void split_halves(const SplitPhases& s, const Frame& frame, Range range) {
  const Planes& in = planes_of(frame, s.input);
  const std::size_t pairs = s.width * in.height;
  std::uint8_t* columns[2] = {frame.scratch, frame.scratch + pairs + phase_block};
  for (std::size_t plane = range.begin; plane < range.end; ++plane) {
    split_columns(byte_plane(frame, s.input, plane), pairs, columns[0], columns[1]);
    for (std::size_t slot = 0; slot < s.slots; ++slot) {
      split_rows(columns[s.first[2 * slot + 1]], s.width, in.height, s.first[2 * slot],
                 byte_plane(frame, s.output, slot * s.planes + plane));
    }
  }
}

void split_phases(const SplitPhases& s, const Frame& frame, Range range) {
  const Planes& in = planes_of(frame, s.input);
  if (s.halves) return split_halves(s, frame, range);
  for (std::size_t plane = range.begin; plane < range.end; ++plane) {
    for (std::size_t slot = 0; slot < s.slots; ++slot) {
      const std::size_t to = slot * s.planes + plane;
      if (s.kind == Kind::bits) {
        split_plane(s, in, byte_plane(frame, s.input, plane), slot,
                    byte_plane(frame, s.output, to));
      } else {
        split_plane(s, in, float_plane(frame, s.input, plane), slot,
                    float_plane(frame, s.output, to));
      }
    }
  }
}
