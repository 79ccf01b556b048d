#include "mutation/relax_calls.h"

namespace mutatenn {
namespace {

ParameterSpec Operators(const char* name, const char* fallback, const char* doc) {
  return {.name = name,
          .type = "strings",
          .fallback = Json::array({fallback}),
          .doc = doc,
          .allowed = {"relax.*"}};
}

bool Matches(const Node& node, const Json& parameters) {
  return IsOperatorCall(node) && HasWord(parameters, "from", relax::OperatorOf(node));
}

std::vector<Node> Rewrite(const Node& node, const Json& parameters) {
  const auto wanted = StaticTensor(node);
  if (!wanted) return {};
  std::vector<Node> variants;
  for (const std::string& op : Words(parameters, "to")) {
    const auto call = GenericCall(op, ArgumentsOf(node), node);
    const auto fitted = call ? Fitted(*call, *wanted) : std::nullopt;
    if (fitted) variants.push_back(*fitted);
  }
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.replace_op", .category = "generic", .source = "tool",
        .summary = "Replaces calls of Relax operators, by name, with calls of others.",
        .doc =
            R"(The tool's `replace_func` for any operator of TVM's: a converter that emits the wrong one.
The new one gets as many of the arguments as it takes (the last one again where there are too few) and the
old one's attributes, where they are of its kind; one that needs attributes of its own is left out, and so
is one that TVM does not type. A result of another shape is reshaped, or cut off and filled with zeros.
Survival depends on the two.)",
        .example = "layers",
        .parameters = {Operators("from", "relax.nn.relu",
                                 "Operators to replace, such as relax.add."),
                       Operators("to", "relax.tanh",
                                 "Operators to put in their place; one mutant for each.")},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
