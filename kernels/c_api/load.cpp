// Loading, describing and freeing models.
#include "c_api/bnas.h"
#include "c_api/boundary.h"
#include "c_api/model.h"
#include "core/run/standard_floats.h"
#include "dispatch/dispatch.h"

namespace bnas {
namespace {

std::unique_ptr<bnas_model> load(const std::uint8_t* data, std::size_t size, const char* isa) {
  const StandardFloats floats;
  const ModelFile file(data, size);
  return std::make_unique<bnas_model>(file, choose_kernels(isa));
}

}  // namespace
}  // namespace bnas

int bnas_api_version(void) { return BNAS_API_VERSION; }

const char* bnas_isa(size_t index, int* supported) {
  const std::vector<bnas::Isa>* isas = nullptr;
  const auto find = [&] { isas = &bnas::isas(); };
  if (bnas::guarded(nullptr, find) != BNAS_OK || index >= isas->size()) return nullptr;
  const bnas::Isa& isa = (*isas)[index];
  if (supported != nullptr) *supported = isa.missing.empty() ? 1 : 0;
  return isa.kernels->name;
}

bnas_status bnas_model_load_memory(const void* data, size_t size, const char* isa,
                                   bnas_model** model, bnas_error* error) {
  return bnas::guarded(error, [=] {
    bnas::require_argument(data != nullptr, "data must not be NULL");
    bnas::require_argument(model != nullptr, "model must not be NULL");
    *model = bnas::load(static_cast<const std::uint8_t*>(data), size, isa).release();
  });
}

bnas_status bnas_model_load_file(const char* path, const char* isa, bnas_model** model,
                                 bnas_error* error) {
  return bnas::guarded(error, [=] {
    bnas::require_argument(path != nullptr, "path must not be NULL");
    bnas::require_argument(model != nullptr, "model must not be NULL");
    const std::vector<std::uint8_t> content = bnas::read_file(path);
    try {
      *model = bnas::load(content.data(), content.size(), isa).release();
    } catch (const bnas::FormatError& e) {
      bnas::refuse(bnas::shown_path(path), e.what());
    }
  });
}

void bnas_model_free(bnas_model* model) { delete model; }

void bnas_model_describe(const bnas_model* model, bnas_description* description) {
  const bnas::Model::Parts& parts = model->engine->parts();
  *description = {model->input.channels,
                  model->input.height,
                  model->input.width,
                  model->labels.size(),
                  parts.kernels.name,
                  model->format_version.c_str(),
                  model->preprocessing.resize,
                  model->preprocessing.mean.data(),
                  model->preprocessing.std.data(),
                  parts.weights.bytes(),
                  parts.tables.bytes(),
                  model->engine->context_bytes()};
}

const char* bnas_model_label(const bnas_model* model, size_t index) {
  return index < model->labels.size() ? model->labels[index].c_str() : nullptr;
}
