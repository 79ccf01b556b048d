// How the compiler is run for one kernel: what operators of level build change. Two settings are
// one where they read the same.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "tvm/passes.h"

namespace mutatenn {

struct BuildSettings {
  Json target = Json::object();      // TVM's target, `host` resolved; code generation follows it
  int lanes = 0;                     // float32 lanes that the schedule is made for; 0 = no schedule
  std::vector<std::string> calls;    // the operators that are fused into the kernel, in order ...
  std::vector<size_t> steps;         // ... and how many of them each step computes: one step, all
  std::vector<LoweringPass> passes;  // in order
};

// One way to run the compiler otherwise.
struct BuildVariant {
  std::string name;  // for people and ids: "without tirx.transform.StorageRewrite"
  BuildSettings settings;
};

// A line a setting, one for each step and pass.
std::string TextOf(const BuildSettings& settings);

}  // namespace mutatenn
