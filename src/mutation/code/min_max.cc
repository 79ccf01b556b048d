#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return node.Is(prim::kMin) || node.Is(prim::kMax); }

std::vector<Node> Rewrite(const Node& node, const Json& parameters) {
  std::vector<Node> replaced;
  if (Names(parameters, "to", "other"))
    replaced.push_back(Make(node.Is(prim::kMin) ? prim::kMax : prim::kMin, node["a"], node["b"]));
  if (Names(parameters, "to", "first")) replaced.push_back(node["a"]);
  if (Names(parameters, "to", "second")) replaced.push_back(node["b"]);
  return replaced;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.min_max", .category = "arithmetic operators", .source = "new",
        .summary = "Replaces minimum with maximum or the reverse, or keeps one operand only.",
        .doc =
            R"(ReLU and max pooling are maxima, ReLU6 a minimum and a maximum: operators of conditions find nothing
there. A dropped operand is an activation without its bound.
Fault: clipping at the wrong end or not at all; no known issue of TVM's.
Survives where no value reaches the bound.)",
        .example = "kernels",
        .parameters = {{.name = "to",
                        .type = "strings",
                        .fallback = {"first", "other", "second"},
                        .doc = "other: the other of the two; first, second: that operand alone.",
                        .allowed = {"other", "first", "second"}}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
