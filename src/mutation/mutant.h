// Mutation points and the mutants made of them. A point names no target: it is found again on each
// by (operator, layer or kernel key, block, n-th match, variant). A mutant's id comes from its
// content and is the same on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

enum class Level { kGraph, kCode, kLowered, kBuild };
const char* LevelName(Level level);

struct MutationPoint {
  Level level = Level::kCode;
  std::vector<std::string> layers;  // of the user's model
  std::string kernel;               // kernel key; "" at level graph
  std::string role;                 // the kernel's role; the Relax operator's name at level graph
  std::string block;                // origin block in the kernel; at level graph "", or of a
                                    // user's own operator the variable; at level build what is
                                    // done otherwise
  int match = 0;    // n-th node of the operator's kind: in its block, or in the graph; counted
                    // before applicability is tested
  int index = 0;    // the same over the whole program, in program order, from 0
  int variant = 0;  // when one node has several replacements
  std::string step = {};    // scope step: the one step mutated; "" = all that share the kernel
  std::string target = {};  // level lowered: the one target whose code this is, by its label

  Json ToJson() const;
  static Result<MutationPoint> FromJson(const Json& json);
};

// OperatorUse::scope of a code mutation that is made in one call of a kernel, not in all.
inline constexpr const char* kScopeStep = "step";

// The category of users' own operators.
inline constexpr const char* kUserCategory = "user";

// One entry of the configuration's "operators".
struct OperatorUse {
  std::string id;
  Json parameters =
      Json::object();  // checked against the operator's declaration, defaults filled in
  std::string
      positions;  // "" = one mutant per point; else canonical JSON: "\"all\"", "[3,7]", "\"20%\""
  std::string scope = "";  // of a code mutation: "" = every step that shares the kernel
  std::string file = "";   // of a user's own operator; its content is in `parameters`
};

struct Mutant {
  std::string id;  // HashBytes of operator, parameters and what identifies the points
  OperatorUse use;
  std::string category;
  Level level = Level::kCode;
  std::vector<MutationPoint> points;
  std::string
      place;  // operator, layers, kernel role, index: found again after the compiler changed
};

// Mutants of one operator's points: one each, or one with the points that `positions` picks (per
// kernel: one for each kernel). Of several variants of a node `positions` takes the first.
// `subject` names what is mutated (the model's graph hash) and enters the id at level graph.
Result<std::vector<Mutant>> MakeMutants(const OperatorUse& use, const std::string& category,
                                        const std::vector<MutationPoint>& points,
                                        const std::string& subject);
// The sampling order: lowest hash of (seed, id) first.
uint64_t SampleRank(uint64_t seed, const std::string& id);

}  // namespace mutatenn
