#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) {
  return IsIntrinsic(node, intrinsic::kWarpShuffle) ||
         IsIntrinsic(node, intrinsic::kWarpShuffleUp) ||
         IsIntrinsic(node, intrinsic::kWarpShuffleDown);
}

// Arguments: mask, value, lane or distance, width, warp size.
std::vector<Node> Rewrite(const Node& call, const Json& parameters) {
  constexpr size_t kLane = 2;
  std::vector<Node> arguments = call["args"].Items();
  const Node lane = arguments.at(kLane);
  const auto offset = ConstantLike(lane, parameters.at("offset").get<double>());
  if (!offset || ValueOf(*offset) == 0) return {};
  const auto sum = IsConstant(lane) ? ConstantLike(lane, ValueOf(lane) + ValueOf(*offset))
                                    : std::optional(Make(prim::kAdd, lane, *offset));
  if (!sum) return {};
  arguments[kLane] = *sum;
  return {WithFields(call, {{"args", Node(arguments)}})};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "lowered.shuffle_lane", .category = "accelerators", .source = "new",
        .summary = "Shifts the lane that a warp shuffle reads.",
        .doc =
            R"(A sum over a warp takes the wrong partner: a value counts twice, another not at all.
Fault: no known issue of TVM's.
Survives where the lanes hold equal values.)",
        .example = "lowered",
        .parameters = {{.name = "offset",
                        .type = "integer",
                        .fallback = 1,
                        .doc = "How many lanes further; may be negative."}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
