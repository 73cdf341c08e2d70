// Pools of stride 2 whose columns are taken apart in registers, once for all taps.

// Columns 2i, 2i + 1 and 2i - 1 of a vector of outputs.
struct ColumnPairs {
  Floats even, odd, before;
};

ColumnPairs take_apart(Floats first, Floats second, Floats odd_before) {
  const Floats odd = odd_of(first, second);
  return {even_of(first, second), odd, shift_in(odd_before, odd)};
}

// The greatest values of `rows` rows, in columns of two or three.
template <bool three>
void greatest_of_rows(const Window& w, const float* in, std::size_t rows, float* out) {
  Floats odd_before = Greatest::outside();
  for (std::size_t x = 0; x < w.out_w; x += float_lanes, in += 2 * float_lanes) {
    Floats first = load_floats(in), second = load_floats(in + float_lanes);
    for (std::size_t y = 1; y < rows; ++y) {
      first = max_floats(load_floats(in + y * w.in_w), first);
      second = max_floats(load_floats(in + y * w.in_w + float_lanes), second);
    }
    const ColumnPairs columns = take_apart(first, second, odd_before);
    Floats greatest = max_floats(columns.even, columns.odd);
    if (three) greatest = max_floats(greatest, columns.before);
    odd_before = columns.odd;
    store_floats_some(out + x, greatest, smaller(float_lanes, w.out_w - x));
  }
}

// Sums start from +0, so that -0 does not stay. Two rows of outputs that fill a vector together are
// made together.
void average_of_two_rows(const Pool& step, const float* in, float* out) {
  Floats sum = zero_floats();
#pragma GCC unroll 2
  for (std::size_t y = 0; y < 2; ++y) {
    const Floats first = load_floats(in + y * float_lanes);
    const Floats second = load_floats(in + (y + 2) * float_lanes);
    sum = add_floats(add_floats(sum, even_of(first, second)), odd_of(first, second));
  }
  store_floats(out, mul_floats(sum, broadcast_float(step.inverse)));
}

void average_of_rows(const Pool& step, const float* in, float* out) {
  const Window& w = step.window;
  const Floats quarter = broadcast_float(step.inverse);
  for (std::size_t x = 0; x < w.out_w; x += float_lanes, in += 2 * float_lanes) {
    Floats sum = zero_floats();
#pragma GCC unroll 2
    for (std::size_t y = 0; y < 2; ++y) {
      const Floats first = load_floats(in + y * w.in_w);
      const Floats second = load_floats(in + y * w.in_w + float_lanes);
      sum = add_floats(add_floats(sum, even_of(first, second)), odd_of(first, second));
    }
    store_floats_some(out + x, mul_floats(sum, quarter), smaller(float_lanes, w.out_w - x));
  }
}

void pool_halves(const Pool& step, const Frame& frame, Range range) {
  const Window& w = step.window;
  for (std::size_t c = range.begin; c < range.end; ++c) {
    const float* in = float_plane(frame, step.input, c);
    float* out = float_plane(frame, step.output, c);
    std::size_t y = 0;
    if (step.average && w.in_w == float_lanes) {
      for (; y + 2 <= w.out_h; y += 2, out += float_lanes)
        average_of_two_rows(step, in + 2 * y * float_lanes, out);
    }
    for (; y < w.out_h; ++y, out += w.out_w) {
      const Range inside = rows_inside(w, y);
      const float* top = in + (y * w.stride_y + inside.begin - w.pad_top) * w.in_w;
      if (step.average) {
        average_of_rows(step, top, out);
      } else if (w.kernel_w == 3) {
        greatest_of_rows<true>(w, top, inside.end - inside.begin, out);
      } else {
        greatest_of_rows<false>(w, top, inside.end - inside.begin, out);
      }
    }
  }
}
