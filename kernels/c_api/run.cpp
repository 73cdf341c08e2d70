// Running models, and ranking what they say.
#include <algorithm>
#include <cmath>
#include <vector>

#include "c_api/bnas.h"
#include "c_api/boundary.h"
#include "c_api/model.h"

namespace bnas {
namespace {

void check(const bnas_model* model, const void* images, std::size_t count, std::size_t threads,
           const void* logits) {
  require_argument(model != nullptr, "model must not be NULL");
  require_argument(threads >= 1, "threads must be at least 1");
  require_argument(count == 0 || (images != nullptr && logits != nullptr),
                   "images and logits must not be NULL");
}

// So many pictures at a time that all threads have work, and a long list needs little memory.
void run_rgb(bnas_model& model, const std::uint8_t* pixels, std::size_t count, std::size_t threads,
             float* logits) {
  constexpr std::size_t pictures_a_thread = 4, most = 1024;
  const std::size_t chunk = std::min(count, std::min(threads, most) * pictures_a_thread);
  const std::size_t area = model.input.height * model.input.width;
  const std::size_t size = model.engine->image_size(), classes = model.engine->classes();
  std::vector<float> images(chunk * size);
  for (std::size_t done = 0; done < count; done += chunk) {
    const std::size_t now = std::min(chunk, count - done);
    for (std::size_t i = 0; i < now; ++i)
      model.normaliser.apply(pixels + (done + i) * size, area, images.data() + i * size);
    model.engine->run(images.data(), now, logits + done * classes, threads);
  }
}

// Probabilities of one image's classes, in double and without overflow.
class Softmax {
 public:
  Softmax(const float* logits, std::size_t classes)
      : logits_(logits), largest_(*std::max_element(logits, logits + classes)) {
    for (std::size_t i = 0; i < classes; ++i) sum_ += power(i);
  }
  double operator[](std::size_t i) const { return power(i) / sum_; }

 private:
  double power(std::size_t i) const {
    return std::exp(static_cast<double>(logits_[i]) - static_cast<double>(largest_));
  }

  const float* logits_;
  float largest_;
  double sum_ = 0.0;
};

constexpr std::size_t nobody = ~std::size_t{0};

// Better: more probable, and of equals the first.
bool precedes(const Softmax& p, std::size_t a, std::size_t b) {
  if (b == nobody || a == nobody) return b == nobody && a != nobody;
  const double pa = p[a], pb = p[b];
  return pa > pb || (!(pb > pa) && a < b);
}

// The best of those that come after `last`.
std::size_t next_best(const Softmax& p, std::size_t classes, std::size_t last) {
  std::size_t best = nobody;
  for (std::size_t i = 0; i < classes; ++i) {
    if ((last == nobody || precedes(p, last, i)) && precedes(p, i, best)) best = i;
  }
  return best;
}

}  // namespace
}  // namespace bnas

bnas_status bnas_model_run(bnas_model* model, const float* images, size_t count, size_t threads,
                           float* logits, bnas_error* error) {
  return bnas::guarded(error, [=] {
    bnas::check(model, images, count, threads, logits);
    if (count != 0) model->engine->run(images, count, logits, threads);
  });
}

bnas_status bnas_model_run_rgb(bnas_model* model, const uint8_t* pixels, size_t count,
                               size_t threads, float* logits, bnas_error* error) {
  return bnas::guarded(error, [=] {
    bnas::check(model, pixels, count, threads, logits);
    bnas::require_argument(model->input.channels == bnas::Normaliser::channels,
                           "the model's input has not the 3 channels of a picture; make its input "
                           "yourself and call bnas_model_run");
    if (count != 0) bnas::run_rgb(*model, pixels, count, threads, logits);
  });
}

size_t bnas_model_rank(const bnas_model* model, const float* logits, size_t count, size_t* classes,
                       double* probabilities) {
  const std::size_t all = model->labels.size(), named = std::min(count, all);
  const bnas::Softmax p(logits, all);
  std::size_t last = bnas::nobody;
  for (std::size_t k = 0; k < named; ++k) {
    last = bnas::next_best(p, all, last);
    if (classes != nullptr) classes[k] = last;
    if (probabilities != nullptr) probabilities[k] = p[last];
  }
  return named;
}
