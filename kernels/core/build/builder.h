// Builds a model step by step: checks shapes, repacks weights, plans memory. The only part of the
// core that throws: std::invalid_argument, saying what was expected and what came.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/kernels.h"
#include "core/run/model.h"
#include "core/repack/repack.h"
#include "core/repack/binary.h"
#include "core/build/spec.h"

namespace bnas {

class Builder {
 public:
  explicit Builder(const Kernels& kernels) : kernels_(kernels) {}

  ValueId add_value(bool bits, std::size_t channels, std::size_t height, std::size_t width);

  // Each call is one step of the program; the value `input` given to build() counts as assigned
  // before them.
  void add_affine(const AffineSpec& spec);
  void add_relu(ValueId input, ValueId output);
  void add_prelu(const PreluSpec& spec);
  void add_clip(const ClipSpec& spec);
  void add_sigmoid(ValueId input, ValueId output);
  void add_constant(ValueId output, Array<float> values);
  void add_pool_bits(const PoolBitsSpec& spec);
  void add_conv2d(const Conv2dSpec& spec);
  void add_quantized_conv2d(const QuantizedConvSpec& spec);
  void add_binarize(const BinarizeSpec& spec);
  void add_binary_conv2d(const BinaryConvSpec& spec);
  void add_depthwise_conv2d(const BinaryConvSpec& spec);  // without fold
  void add_pool(const PoolSpec& spec);
  void add_add_slice(const AddSliceSpec& spec);
  void add_mean_magnitude(const MeanMagnitudeSpec& spec);
  void add_multiply(ValueId input, ValueId factor, ValueId output);
  void add_concat(const std::vector<ValueId>& inputs, ValueId output);
  void add_select_channels(ValueId input, ValueId output, Array<std::int32_t> index);
  void add_global_avg_pool(ValueId input, ValueId output);
  void add_linear(const LinearSpec& spec);

  std::unique_ptr<Model> build(ValueId input, ValueId output);

 private:
  const Planes& shape_of(ValueId id, bool bits) const;
  void require(bool good, const std::string& message) const;
  void require_size(const char* what, std::size_t size, std::size_t expected) const;
  void require_same_shape(ValueId a, ValueId b) const;
  void require_slice(ValueId whole, ValueId part_like, std::size_t at, std::size_t count) const;
  Window window_for(const WindowSpec& spec, ValueId input, ValueId output, bool input_bits,
                    bool output_bits) const;
  Window window_for(const WindowSpec& spec, const Planes& in, const Planes& out) const;

  void require_pool(const Window& window, ValueId input, ValueId output) const;
  std::size_t like(ValueId input, ValueId output) const;
  void add_in_place(Op op, ValueId input, ValueId output);
  ValueId add_hidden(bool bits, std::size_t planes, std::size_t height, std::size_t width);
  void add_step(Op op, std::size_t units, std::vector<ValueId> reads, std::vector<ValueId> writes);
  void copy_for_update(ValueId from, ValueId to);
  bool join_binarize(ValueId input, const Binarize::Signs& signs);
  ValueId split_phases(const Geometry& geometry, const Window& window, ValueId input, bool bits);
  void require_quantized(const QuantizedConvSpec& spec, const QuadShape& shape) const;
  Taps make_taps(const Geometry& geometry, const Window& window);
  Stage make_stage(const StageSpec& spec, const Planes& out, const Sections& sections);
  std::vector<Stage> make_stages(const BinaryConvSpec& spec, const Window& window,
                                 const Sections& sections);
  void require_groups(std::size_t groups, std::size_t channels, std::size_t outputs) const;
  ValueId add_aligned(const Sections& sections, std::size_t height, std::size_t width);
  ValueId align_input(ValueId input, std::size_t groups);
  void repack_bits(ValueId from, ValueId to, const Sections& sections, bool align);
  bool make_rooms(const BinaryConvSpec& spec, const DotBase& base, const BinaryShape& shape,
                  std::vector<Stage>& stages);
  const float* twice(Array<float> values);
  void add_bit_conv(const BinaryConvSpec& spec, const BinaryShape& shape, const Window& window,
                    std::vector<Stage> stages);
  bool turning_pays(const BinaryShape& shape, const Window& window) const;
  void add_turned_conv(const BinaryConvSpec& spec, const BinaryShape& shape, const Window& window,
                       std::vector<Stage> stages);
  void need_scratch(std::size_t bytes);

  const Kernels& kernels_;
  std::vector<Value> values_;
  std::vector<Step> steps_;
  std::size_t program_steps_ = 0;
  std::size_t program_values_ = 0;
  std::size_t scratch_ = 0;
  Tables weights_, tables_;
};

}  // namespace bnas
