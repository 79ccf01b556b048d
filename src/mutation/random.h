// Random numbers that depend on the seed alone: the standard library's distributions differ between
// implementations, and a mutant is the same on every machine.
#pragma once

#include <cstdint>

#include "mutation/operator.h"

namespace mutatenn {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();                 // splitmix64
  uint64_t Below(uint64_t bound);  // 0 <= result < bound
  double Uniform();                // in [0, 1)
  double Gaussian();               // mean 0, deviation 1

 private:
  uint64_t state_;
};

// Parameter "seed", at least 0.
ParameterSpec SeedParameter();

}  // namespace mutatenn
