#include "mutation/conditions.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json& parameters) {
  const NamedKind* relation = RelationOf(node);
  return relation != nullptr && Names(parameters, "from", relation->name);
}

std::vector<Node> Rewrite(const Node& relation, const Json& parameters) {
  std::vector<Node> replaced;
  for (const Json& name : parameters.at("to")) {
    const char* key = RelationNamed(name);
    if (!relation.Is(key)) replaced.push_back(Make(key, relation["a"], relation["b"]));
  }
  return replaced;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.relation", .category = "conditions", .source = "paper",
        .summary = "Replaces a relational operator with another.",
        .doc =
            R"(Off by one at a bound (< for <=: one more element is read, often beyond its buffer), or a bound
turned around. Applies to relations in if statements, selects and if_then_else, between floats and
between indices; padding is where networks have them.
Fault: a bounds check that is wrong or missing, such as TVM's issues 9598 (the predicate that guards a
reduction's start was lost) and 19524 (a shifted index behind a check that still held).
Survives where what lies beyond the bound is as good as padding, or where the bound is never reached.
The paper's conditions LT to LE, GT to GE and GT to LT are `from` and `to` of one name each.)",
        .example = "kernels",
        .parameters = {RelationsParameter("from", "The relations that are replaced."),
                       RelationsParameter("to", "What stands in their place, a variant each.")},
        .presets = {{.preset = "default",
                     .parameters = {{"from", Json::array({"lt"})}, {"to", Json::array({"le"})}}}},
        .at_level_lowered = true, .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
