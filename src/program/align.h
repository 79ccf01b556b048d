// Two programs of one model, compiled for different targets or at different levels, side by side:
// which steps compute the same nodes of the user's model. Knows programs only, no device.
#pragma once

#include <string>
#include <vector>

#include "program/program.h"

namespace mutatenn {

// The same values on both sides, and what makes them there.
struct AlignedStep {
  int step_a = -1, step_b = -1;         // that write the values
  std::vector<int> values_a, values_b;  // pairwise of one type
  // Steps of a side, in order, that make its values from the program's input, weights and the same
  // side's values of earlier aligned steps. One step where both sides are fused alike.
  std::vector<int> steps_a, steps_b;
  std::vector<int> inputs;  // earlier aligned steps whose values those read, by index
};

// In the order of A's steps; at least the network's outputs, where their types agree. Steps match
// by the last node that they compute (the n-th with the n-th where there are equally many, else the
// last ones), and by the types of what they write.
std::vector<AlignedStep> Align(const Program& a, const Program& b);

}  // namespace mutatenn
