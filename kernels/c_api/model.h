// What a handle of the C API points to: a model of the engine and what else its file says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "c_api/boundary.h"
#include "c_api/normalise.h"
#include "core/run/model.h"
#include "reader/model_file.h"

struct bnas_model {
  bnas_model(const bnas::ModelFile& file, const bnas::Kernels& kernels)
      : engine(file.build(kernels)),
        labels(file.labels()),
        format_version(text_of(file.version())),
        input(file.input()),
        preprocessing(file.preprocessing()),
        normaliser(preprocessing) {}

  std::unique_ptr<bnas::Model> engine;
  std::vector<std::string> labels;
  std::string format_version;
  bnas::Shape input;
  bnas::Preprocessing preprocessing;
  bnas::Normaliser normaliser;
};

namespace bnas {

inline void require_picture(const bnas_model& model) {
  require_argument(model.normaliser.channels() != 0,
                   "the model's input has not the 3 channels of a picture, or the 1 of a grey one; "
                   "make its input yourself and call bnas_model_run");
}

}  // namespace bnas
