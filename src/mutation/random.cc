// splitmix64, and what is made of it.
#include "mutation/random.h"

#include <cmath>
#include <numbers>

namespace mutatenn {

uint64_t Random::Next() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t Random::Below(uint64_t bound) { return Next() % bound; }

double Random::Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

double Random::Gaussian() {
  const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

ParameterSpec SeedParameter() {
  return {.name = "seed", .type = "integer", .fallback = 1, .doc = "Of the random numbers."};
}

}  // namespace mutatenn
