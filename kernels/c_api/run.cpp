// Running models, and ranking what they say.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
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
      : largest_(*std::max_element(logits, logits + classes)) {
    for (std::size_t i = 0; i < classes; ++i) sum_ += power(logits[i]);
  }
  double operator()(float logit) const { return power(logit) / sum_; }
  // Whether there are probabilities: none is a number if a logit is NaN or +inf, or all are -inf.
  bool defined() const { return !std::isnan(sum_); }

 private:
  double power(float logit) const {
    return std::exp(static_cast<double>(logit) - static_cast<double>(largest_));
  }

  float largest_;
  double sum_ = 0.0;
};

// Put the first `named` of classes 0 to `all` in order, best first, with no memory but theirs.
template <class Better>
void best_first(std::size_t all, std::size_t named, std::size_t* classes, Better better) {
  std::iota(classes, classes + named, std::size_t{0});
  std::make_heap(classes, classes + named, better);  // the worst of the best is in front
  for (std::size_t i = named; named != 0 && i < all; ++i) {
    if (!better(i, *classes)) continue;
    std::pop_heap(classes, classes + named, better);
    classes[named - 1] = i;
    std::push_heap(classes, classes + named, better);
  }
  std::sort_heap(classes, classes + named, better);
}

// Larger logits first, of equals the first; in order where there are no probabilities.
void rank_classes(const Softmax& p, const float* logits, std::size_t all, std::size_t named,
                  std::size_t* classes) {
  const bool defined = p.defined();
  best_first(all, named, classes, [=](std::size_t a, std::size_t b) {
    return defined && logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
}

// The same without classes, so in the place of the probabilities.
void rank_probabilities(const Softmax& p, const float* logits, std::size_t all, std::size_t named,
                        double* probabilities) {
  double* end = probabilities + named;
  if (!p.defined()) {
    std::fill(probabilities, end, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  std::partial_sort_copy(logits, logits + all, probabilities, end, std::greater<>());
  std::transform(probabilities, end, probabilities,
                 [&](double logit) { return p(static_cast<float>(logit)); });
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
    bnas::require_picture(*model);
    if (count != 0) bnas::run_rgb(*model, pixels, count, threads, logits);
  });
}

size_t bnas_model_rank(const bnas_model* model, const float* logits, size_t count, size_t* classes,
                       double* probabilities) {
  const std::size_t all = model->labels.size(), named = std::min(count, all);
  const bnas::Softmax p(logits, all);
  if (classes != nullptr) {
    bnas::rank_classes(p, logits, all, named, classes);
    if (probabilities != nullptr)
      std::transform(classes, classes + named, probabilities,
                     [&](std::size_t c) { return p(logits[c]); });
  } else if (probabilities != nullptr) {
    bnas::rank_probabilities(p, logits, all, named, probabilities);
  }
  return named;
}
