#include "mutation/conditions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) {
  return node.Is(type::kIfThenElse) || node.Is(prim::kSelect) ||
         IsIntrinsic(node, intrinsic::kIfThenElse);
}

Node WithCondition(const Node& node, const Node& condition) {
  if (!node.Is(type::kCall)) return WithFields(node, {{"condition", condition}});
  std::vector<Node> arguments = node["args"].Items();
  arguments[0] = condition;
  return WithFields(node, {{"args", Node(arguments)}});
}

std::vector<Node> Rewrite(const Node& node, const Json& parameters) {
  const Node condition = node.Is(type::kCall) ? node["args"].At(0) : node["condition"];
  if (IsConstant(condition)) return {};
  std::vector<Node> replaced;
  if (Names(parameters, "to", "negated"))
    replaced.push_back(WithCondition(node, Make(prim::kNot, condition)));
  for (const bool value : {true, false})
    if (Names(parameters, "to", value ? "true" : "false"))
      replaced.push_back(WithCondition(node, BroadcastLike(condition, IntImm("bool", value))));
  return replaced;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.condition", .category = "conditions", .source = "new",
        .summary =
            "Negates the condition of an if, a select or an if_then_else, or makes it constant.",
        .doc =
            R"(A check that is inverted, or was optimised away because a compiler took it for proven.
Fault: TVM's issues 9598 (a predicate lost in compute_at) and 3770 (a simplifier that sees bounds
differently).
Survives where both branches give the same value, or where the condition has that value anyway.)",
        .example = "kernels",
        .parameters = {{.name = "to",
                        .type = "strings",
                        .fallback = {"false", "negated", "true"},
                        .doc = "What stands for the condition, a variant each.",
                        .allowed = {"negated", "true", "false"}}},
        .at_level_lowered = true, .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
