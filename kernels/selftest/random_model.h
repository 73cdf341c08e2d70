// Random models for the self-tests: every kernel runs, shapes and windows meet the edges of tiles.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "core/kernels.h"
#include "core/run/model.h"

namespace bnas {

using Random = std::mt19937;

// So many floats from about -2 to 2.
std::vector<float> floats(Random& random, std::size_t count);

// A model that is the same for the same seed, on any instruction set.
std::unique_ptr<Model> random_model(const Kernels& kernels, unsigned seed);

}  // namespace bnas
