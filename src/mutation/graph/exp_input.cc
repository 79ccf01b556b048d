#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

std::vector<Node> Rewrite(const Node& call, const Json& parameters) {
  const Node argument = ChosenArgument(call, parameters);
  const auto tensor = StaticTensor(argument);
  if (!tensor || tensor->dtype.find("float") == std::string::npos) return {};
  return {WithChosenArgument(call, parameters, Call(make::kExp, argument))};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.exp_input", .category = "node input/output", .source = "paper",
        .summary = "Puts the exponential before an argument of the chosen functions.",
        .doc =
            R"(A stray element-wise operation in front of a layer: values grow, negative ones become small.
Often ends in infinities, seldom survives.)",
        .example = "layers", .parameters = {FunctionsParameter(), ArgumentParameter()},
        .matches = IsChosenFunction, .rewrite = Rewrite);

}  // namespace mutatenn
