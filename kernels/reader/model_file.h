// A .bnn file, read and fully checked, ready to become a model of the engine. The counterpart of
// bnas_deploy/format/reader.py and validation.py.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/kernels.h"
#include "core/run/model.h"
#include "reader/container.h"
#include "reader/steps/scope.h"
#include "reader/steps/steps.h"

namespace bnas {

// How a picture becomes an input; docs/format.md gives the meaning.
struct Preprocessing {
  std::size_t resize;
  std::array<std::size_t, 2> crop;  // height, width
  std::vector<double> mean, std;    // a channel
};

class ModelFile {
 public:
  // The bytes must live as long as this. Throws FormatError where the file cannot be read, or
  // breaks a rule of docs/format.md.
  ModelFile(const std::uint8_t* blob, std::size_t size, Digest digest = &portable_digest);
  ModelFile(const ModelFile&) = delete;
  ModelFile& operator=(const ModelFile&) = delete;

  // Throws std::invalid_argument where the engine cannot run the program; the message says which
  // step and why.
  std::unique_ptr<Model> build(const Kernels& kernels) const;

  // Units of work for one image, as docs/format.md counts them.
  std::uint64_t work() const { return scope_.work.units(); }
  const Version& version() const { return container_.version; }
  // Names of all values, in the order in which the file declares them and the engine numbers them.
  const std::vector<std::string>& value_names() const { return names_; }
  const Shape& input() const { return input_->shape; }
  const std::vector<std::string>& labels() const { return labels_; }
  const Preprocessing& preprocessing() const { return preprocessing_; }

 private:
  void read_values(const JsonValue& values);
  void read_steps(const std::vector<JsonValue>& steps);
  void read_step(const JsonValue& json, std::string where);
  void check_all_used() const;
  void check_output(std::string_view name);
  void read_preprocessing(const JsonValue& json);

  Container container_;
  Json program_;
  Scope scope_{container_.tensors, container_.version};
  std::vector<const NamedValue*> values_;  // in order
  std::vector<std::string> names_;
  std::vector<AddStep> steps_;
  const NamedValue* input_ = nullptr;
  const NamedValue* output_ = nullptr;
  std::vector<std::string> labels_;
  Preprocessing preprocessing_{};
};

}  // namespace bnas
