// Fixed CPU schedule rules, no tuning: an unscheduled fused PrimFunc becomes tiled and vectorised.
// In two parts, because mutation points are named in between: Normalize inlines what every target
// inlines, so that the blocks left are the same everywhere; Tile then shapes loops for one vector
// width.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "compile/schedule/packing.h"
#include "tvm/node.h"

namespace mutatenn {

// Raise when a rule's result for some kernel may change: part of the cache key.
inline constexpr int kScheduleRulesVersion = 3;

struct VectorUnit {
  int lanes = 4;  // float32 lanes of one vector register: 16 (AVX-512), 8 (AVX2), 4 (SSE, NEON)
  int registers = 16;  // architectural vector registers
};
// Of an llvm target, by its CPU features.
Result<VectorUnit> VectorUnitOf(const Node& target);

// Inlines pads that pad nothing, everything element-wise before the anchor except a real pad, and
// everything after it except the output block. Where that fails the function is returned unchanged.
Result<Node> Normalize(const Node& function);

struct Scheduled {
  Node function;
  // "contract", "contract_x", "reduce", "elementwise" or "none"
  std::string rule = "none";
  std::string why = "";                           // why stronger rules gave up, for people
  std::optional<Packing> packing = std::nullopt;  // of a parameter: it takes the packed weight
};
// `function` is normalised. `constant_parameters`: indices of parameters that are weights at every
// call site, which may be packed. Never fails for a kernel: the last rule is to leave it as it is.
Result<Scheduled> Tile(const Node& function, const std::vector<int>& constant_parameters,
                       const VectorUnit& unit);

}  // namespace mutatenn
