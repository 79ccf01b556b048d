#include "mutation/graph_view.h"
#include "mutation/relax_calls.h"

namespace mutatenn {
namespace {

std::optional<Node> Inserted(const Node& x, const Node& typed, const std::string& op,
                             const Node& call) {
  const auto wanted = StaticTensor(typed);
  const auto made = wanted ? GenericCall(op, {x}, call) : std::nullopt;
  return made ? Fitted(*made, *wanted) : std::nullopt;
}

std::vector<GraphEdit> Rewrite(const GraphView& view, size_t at, const Json& parameters) {
  const Node& call = view.binding(at).value;
  const bool before = parameters.at("order") == "before";
  const size_t edited = before ? at : view.ResultOf(at);
  const Node argument = before ? ChosenArgument(call, parameters) : view.binding(edited).value;
  if (!argument) return {};
  std::vector<GraphEdit> edits;
  for (const std::string& op : Words(parameters, "op")) {
    const Node& typed = before ? argument : view.binding(edited).variable;
    const auto inserted = Inserted(argument, typed, op, call);
    if (!inserted) continue;
    edits.push_back({edited, before ? WithChosenArgument(call, parameters, *inserted) : *inserted});
  }
  return edits;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.insert_op", .category = "generic", .source = "tool",
        .summary =
            "Puts Relax operators, by name, before an argument or behind the result of functions.",
        .doc =
            R"(The tool's `apply_tensor_operation` for any operator of TVM's that needs no attributes, or those of the
call. One of several arguments gets the value for each (relax.multiply: the square). A result of another
shape is reshaped, or cut off and filled with zeros. `after` is right behind the call, before its bias.
Survival depends on the operator.)",
        .example = "layers",
        .parameters = {{.name = "op",
                        .type = "strings",
                        .fallback = Json::array({"relax.tanh"}),
                        .doc = "Operators to put in; one mutant for each.",
                        .allowed = {"relax.*"}},
                       OrderParameter(),
                       FunctionsParameter(),
                       ArgumentParameter()},
        .matches = IsChosenFunction, .rewrite_graph = Rewrite);

}  // namespace mutatenn
