#include "selftest/random_model.h"

#include <cstdint>

#include "core/build/draft.h"

namespace bnas {
namespace {

std::size_t pick(Random& random, std::size_t low, std::size_t high) {
  return low + random() % (high - low + 1);
}

std::vector<std::int32_t> integers(Random& random, std::size_t count, std::int32_t reach) {
  std::vector<std::int32_t> values(count);
  const auto span = static_cast<std::uint32_t>(2 * reach + 1);
  for (auto& x : values) x = static_cast<std::int32_t>(random() % span) - reach;
  return values;
}

std::vector<std::uint64_t> words(Random& random, std::size_t rows, std::size_t bits) {
  std::vector<std::uint64_t> values;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t first = 0; first < bits; first += 64) {
      const std::uint64_t word = static_cast<std::uint64_t>(random()) << 32 | random();
      values.push_back(bits - first < 64 ? word & ((std::uint64_t{1} << (bits - first)) - 1)
                                         : word);
    }
  }
  return values;
}

template <class T>
Array<T> array(const std::vector<T>& values) {
  return {values.data(), values.size()};
}

struct Shape {
  std::size_t channels, height, width;
};

// A window that fits a shape, and what becomes of the shape.
struct Convolution {
  WindowSpec window;
  Shape out;
};

Convolution random_window(Random& random, const Shape& in, std::size_t outputs, bool dilated) {
  const std::size_t kernel = 1 + 2 * pick(random, 0, 2), stride = pick(random, 1, 2);
  const std::size_t dilations[] = {1, 1, 2, 2, 50};  // 50: taps far outside any image here
  const std::size_t dilation = dilated ? dilations[pick(random, 0, 4)] : 1;
  const std::size_t reach = dilation * (kernel - 1) + 1;
  const std::size_t padding = dilated ? reach / 2 : kernel / 2;
  const std::size_t height = (in.height + 2 * padding - reach) / stride + 1;
  const std::size_t width = (in.width + 2 * padding - reach) / stride + 1;
  return {{{kernel, kernel},
           {stride, stride},
           {padding, padding, padding, padding},
           {dilation, dilation}},
          {outputs, height, width}};
}

// An 8-bit convolution with random weights of up to its greatest magnitude.
void add_quantized_part(Draft& b, Random& random, ValueId input, ValueId output,
                        std::size_t channels, const Convolution& conv) {
  const std::size_t outputs = conv.out.channels;
  std::vector<std::int8_t> weight;
  for (const std::int32_t w :
       integers(random, outputs * channels * conv.window.kernel[0] * conv.window.kernel[1], 127))
    weight.push_back(static_cast<std::int8_t>(w));
  const auto offset = integers(random, outputs, 5000);
  const auto zero = floats(random, channels);
  std::vector<float> scale = floats(random, outputs), input_scale = floats(random, channels);
  for (float& x : scale) x /= 4096.0f;  // or what it is added to would not matter
  for (float& x : input_scale) x = 50.0f * x * x;
  b.add(QuantizedConvSpec{input, output, array(weight), array(offset), array(scale),
                          array(input_scale), array(zero), conv.window, random() % 2 == 0});
}

struct BinaryValues {
  ValueId input, scaled, bits, added;
};

// One binary convolution with both kinds of stages, and one that adds onto what the first scaled.
void add_binary_part(Draft& b, Random& random, std::size_t channels, const Convolution& conv,
                     const BinaryValues& v) {
  const std::size_t outputs = conv.out.channels;
  const std::size_t taps = conv.window.kernel[0] * conv.window.kernel[1];
  const auto weight = words(random, outputs, taps * channels), flip = words(random, 1, outputs);
  const auto fold = integers(random, outputs * taps, 9), limits = integers(random, outputs, 30);
  const auto beta = floats(random, outputs);
  BinaryConvSpec spec{v.input, outputs, array(weight), array(fold), conv.window, {}};
  spec.stages.push_back({Stage::Kind::scale, v.scaled, {}, {}, array(beta), {}, true, false, 0, 0});
  spec.stages.push_back(
      {Stage::Kind::threshold, v.bits, array(limits), array(flip), {}, {}, false, false, 0, 0});
  b.add(spec);
  const auto pointwise = words(random, outputs, outputs);
  spec = {v.bits, outputs, array(pointwise), {}, {{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}, {}};
  spec.stages.push_back(
      {Stage::Kind::scale, v.added, {}, {}, array(beta), {}, false, true, v.scaled, 0});
  b.add(spec);
}

// A 1x1 binary convolution of as many outputs as inputs.
void add_pointwise(Draft& b, Random& random, ValueId input, ValueId output, std::size_t channels) {
  const auto weight = words(random, channels, channels);
  const auto beta = floats(random, channels);
  BinaryConvSpec spec{input, channels, array(weight), {}, {{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
                      {}};
  spec.stages.push_back({Stage::Kind::scale, output, {}, {}, array(beta), {}, false, false, 0, 0});
  b.add(spec);
}

struct DepthwiseValues {
  ValueId floats, bits, dots, mean, product;
};

// A depthwise convolution of the bits, with both kinds of stages, times the mean magnitude.
void add_depthwise_part(Draft& b, Random& random, const Shape& shape, const DepthwiseValues& v,
                        ValueId marks) {
  const std::size_t c = shape.channels, kernel = 1 + 2 * pick(random, 0, 2);
  const auto weight = words(random, c, kernel * kernel), flip = words(random, 1, c);
  const auto limits = integers(random, c, 5);
  const auto beta = floats(random, c), scale = floats(random, c), shift = floats(random, c);
  const std::size_t pad = kernel / 2;
  DepthwiseConvSpec spec{
      v.bits, array(weight), {{kernel, kernel}, {1, 1}, {pad, pad, pad, pad}, {1, 1}}, {}};
  spec.stages.push_back({Stage::Kind::scale, v.dots, {}, {}, array(beta), {}, false, false, 0, 0});
  spec.stages.push_back(
      {Stage::Kind::threshold, marks, array(limits), array(flip), {}, {}, false, false, 0, 0});
  b.add(spec);
  const auto terms = floats(random, 2);
  b.add(MeanMagnitudeSpec{v.floats, v.mean, array(scale), array(shift), array(terms)});
  b.add(MultiplySpec{v.dots, v.mean, v.product});
}

struct GroupedValues {
  ValueId bits, pooled, marks, sums, bent, bound, mean, squeezed, gate, gated, map, result;
};

// Values behind bits of a shape: pooled bits, so many outputs of a convolution in groups, and
// gates.
GroupedValues grouped_values(Draft& b, ValueId bits, const Shape& in, std::size_t outputs) {
  const auto add = [&](bool of_bits, const Shape& s) {
    return b.add_value(of_bits ? Kind::bits : Kind::f32, s.channels, s.height, s.width);
  };
  const Shape out{outputs, in.height, in.width}, one{outputs, 1, 1};
  GroupedValues v{};
  v.bits = bits;
  v.pooled = add(true, in);
  v.marks = add(true, out);
  v.sums = add(false, out);
  v.bent = add(false, out);
  v.bound = add(false, out);
  v.mean = add(false, one);
  v.squeezed = add(false, one);
  v.gate = add(false, one);
  v.gated = add(false, out);
  v.map = add(false, {1, in.height, in.width});
  v.result = add(false, out);
  return v;
}

// A pool of bits, a convolution in groups with both stages, activations, a gate and a map.
void add_grouped_part(Draft& b, Random& random, const Shape& in, std::size_t groups,
                      std::size_t outputs, const GroupedValues& v) {
  const auto minimum = words(random, 1, in.channels), flip = words(random, 1, outputs);
  const auto weight = words(random, outputs, 9 * (in.channels / groups));
  const auto limits = integers(random, outputs, 9);
  const auto beta = floats(random, outputs), shift = floats(random, outputs);
  const auto slope = floats(random, outputs), low = floats(random, outputs);
  const std::vector<float> high(outputs, 3.0f);
  const std::vector<float> terms = {0.75f, 0.125f};
  const auto map = floats(random, in.height * in.width);
  const WindowSpec window{{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
  b.add(PoolBitsSpec{v.bits, v.pooled, window, array(minimum)});
  BinaryConvSpec spec{v.pooled, outputs, array(weight), {}, window, {}, groups};
  spec.stages.push_back(
      {Stage::Kind::threshold, v.marks, array(limits), array(flip), {}, {}, false, false, 0, 0});
  spec.stages.push_back(
      {Stage::Kind::scale, v.sums, {}, {}, array(beta), array(shift), false, false, 0, 0});
  b.add(spec);
  b.add(PreluSpec{v.sums, v.bent, array(slope)});
  b.add(ClipSpec{v.bent, v.bound, array(low), array(high)});
  b.add(GlobalAvgPoolSpec{v.bound, v.mean});
  b.add(SigmoidSpec{v.mean, v.squeezed});
  b.add(HardSigmoidSpec{v.squeezed, v.gate, array(terms)});
  b.add(MultiplySpec{v.bound, v.gate, v.gated});
  b.add(ConstantSpec{v.map, array(map)});
  b.add(MultiplySpec{v.gated, v.map, v.result});
}

std::size_t some_divisor(std::size_t n) { return n % 3 == 0 ? 3 : n % 2 == 0 ? 2 : n; }

// Image, float and 8-bit convolution, their sum, pool, affine, bits, binary convolution with both
// stages, mean and max pool; a depthwise convolution of the same bits, its mean; one in groups;
// linear.
std::unique_ptr<Model> random_model(const Kernels& kernels, Random random, const Shape& image) {
  Draft b(kernels);
  const std::size_t o1 = pick(random, 1, 20), o2 = pick(random, 1, 40);
  const std::size_t groups = some_divisor(o1), o3 = groups * pick(random, 1, 9);
  const Convolution conv = random_window(random, image, o1, true);
  const Convolution pool = random_window(random, conv.out, o1, false);
  const Convolution binary = random_window(random, pool.out, o2, true);
  const auto add = [&](bool bits, const Shape& s) {
    return b.add_value(bits ? Kind::bits : Kind::f32, s.channels, s.height, s.width);
  };
  const ValueId in = add(false, image), x1 = add(false, conv.out), x2 = add(false, pool.out);
  const ValueId x3 = add(false, pool.out), x4 = add(true, pool.out), x5 = add(false, binary.out);
  const ValueId x6 = add(true, binary.out), x7 = add(false, binary.out),
                x8 = add(false, {2 * o2, 1, 1});
  const ValueId x9 = add(false, {3, 1, 1});
  const ValueId x10 = add(false, {2 * o2, binary.out.height, binary.out.width});

  const ValueId quantized = add(false, conv.out), sum = add(false, conv.out);
  const ValueId dots = add(false, pool.out), marks = add(true, pool.out);
  const ValueId mean = add(false, {1, pool.out.height, pool.out.width});
  const ValueId product = add(false, pool.out), x11 = add(false, {o1, 1, 1});
  const ValueId x12 = add(false, {o1, 1, 1}), x13 = add(false, {3 * o2 + 2 * o1 + o3, 1, 1});
  const ValueId marked = add(false, pool.out), x14 = add(false, {o3, 1, 1});
  const Shape halved{o2, (binary.out.height + 1) / 2, (binary.out.width + 1) / 2};
  const ValueId greatest = add(false, halved), x15 = add(false, {o2, 1, 1});
  const GroupedValues grouped = grouped_values(b, x4, pool.out, o3);

  const std::size_t taps1 = conv.window.kernel[0] * conv.window.kernel[1];
  const auto w1 = floats(random, o1 * image.channels * taps1), b1 = floats(random, o1);
  b.add(Conv2dSpec{in, x1, array(w1), array(b1), conv.window, true});
  add_quantized_part(b, random, in, quantized, image.channels, conv);
  b.add(AddSliceSpec{x1, quantized, sum, 0});
  b.add(PoolSpec{sum, x2, pool.window, random() % 2 == 0});
  const auto scale = floats(random, o1), shift = floats(random, o1);
  b.add(AffineSpec{x2, x3, array(scale), array(shift)});
  const auto threshold = floats(random, o1);
  const auto flip = words(random, 1, o1);
  b.add(BinarizeSpec{x3, x4, array(threshold), array(flip)});
  add_binary_part(b, random, o1, binary, {x4, x5, x6, x7});
  add_depthwise_part(b, random, pool.out, {x3, x4, dots, mean, product}, marks);
  add_pointwise(b, random, marks, marked, o1);
  b.add(PoolSpec{x5, greatest, {{3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}}, false});
  b.add(GlobalAvgPoolSpec{greatest, x15});
  b.add(GlobalAvgPoolSpec{product, x11});
  b.add(GlobalAvgPoolSpec{marked, x12});
  b.add(ConcatSpec{{x7, x5}, x10});
  b.add(GlobalAvgPoolSpec{x10, x8});
  add_grouped_part(b, random, pool.out, groups, o3, grouped);
  b.add(GlobalAvgPoolSpec{grouped.result, x14});
  b.add(ConcatSpec{{x8, x11, x12, x14, x15}, x13});
  const auto w2 = floats(random, 3 * (3 * o2 + 2 * o1 + o3));
  b.add(LinearSpec{x13, x9, array(w2), {}});
  return b.finish(in, x9);
}

}  // namespace

std::vector<float> floats(Random& random, std::size_t count) {
  std::vector<float> values(count);
  for (float& x : values) x = (static_cast<float>(random() % 2001) - 1000.0f) / 512.0f;
  return values;
}

std::unique_ptr<Model> random_model(const Kernels& kernels, unsigned seed) {
  Random random(seed);
  const Shape image{pick(random, 1, 40), pick(random, 1, 33), pick(random, 1, 33)};
  return random_model(kernels, random, image);
}

}  // namespace bnas
