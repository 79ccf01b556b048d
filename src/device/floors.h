// What a worker is asked for the rounding floors of an original's steps, and answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "program/program.h"

namespace mutatenn {

struct FloorRequest {
  std::vector<MutantProgram> roundings;  // the original in other legal code, in float32
  std::optional<MutantProgram> exact;    // the original in float64, each output rounded once
  std::vector<std::string> images;       // of the loaded chunk
};

// Of one output of a step that every program runs on the original's values; or, step "", of one
// output of the whole network, each program on its own values. Over all elements of all images
// where every program's are finite.
struct StepFloor {
  std::string step;
  int output = 0;
  int images = 0;
  double spread = 0;     // largest difference between the original and roundings, or two of them
  double distance = 0;   // largest difference of one of them to `exact`; NaN where that is missing
  double magnitude = 0;  // of the largest element
};

Json ToJson(const FloorRequest& request);
Result<FloorRequest> FloorRequestFromJson(const Json& json);
Json ToJson(const std::vector<StepFloor>& floors);
Result<std::vector<StepFloor>> FloorsFromJson(const Json& json);

}  // namespace mutatenn
