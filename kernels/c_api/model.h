// What a handle of the C API points to: a model of the engine and what else its file says.
#pragma once

#include <memory>
#include <string>
#include <vector>

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
