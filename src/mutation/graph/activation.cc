#include "mutation/activations.h"
#include "mutation/relax_calls.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json& parameters) {
  return HasWord(parameters, "from", ActivationOf(node));
}

std::vector<Node> Rewrite(const Node& node, const Json& parameters) {
  const Node x = node["args"].At(0);
  std::vector<Node> variants;
  for (const std::string& word : Words(parameters, "to"))
    variants.push_back(word == ActivationOf(node) ? node : ActivationCall(word, x));
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.activation", .category = "layer node", .source = "paper",
        .summary = "Replaces an activation function with another, or removes it.",
        .doc =
            R"(The wrong activation function; from `["relu", "relu6"]` to `["sigmoid"]` is the paper's LN, to
`["identity"]` LEMON's and DeepMutation's activation removal. A converter of TVM's took GELU's exact form
for its approximation (apache/tvm#18750).
relu6 is any clip from 0 upwards; hard_sigmoid(x) = clip(x / 6 + 0.5, 0, 1), hard_swish(x) = x * hard_sigmoid(x),
leaky_relu has the slope 0.01. Only what is one node of the imported graph is found (`from`).
Survives where the layers behind it depend on the order of its values only, and where the two agree over
the values that come (relu for relu6, gelu for silu).)",
        .example = "layers",
        .parameters = {WordsParameter("from", ActivationsOfOneNode(), "Activations to replace."),
                       WordsParameter("to", ActivationWords(),
                                      "What to put in their place; one mutant for each.")},
        .presets = {{.preset = "default", .parameters = {{"to", Json::array({"sigmoid"})}}}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
