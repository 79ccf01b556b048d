#include <utility>

#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr std::pair<const char*, const char*> kOperators[] = {
    {"add", op::kAdd},          {"divide", op::kDivide},     {"maximum", op::kMaximum},
    {"minimum", op::kMinimum},  {"multiply", op::kMultiply}, {"power", op::kPower},
    {"subtract", op::kSubtract}};

std::vector<std::string> AllWords() {
  std::vector<std::string> words;
  for (const auto& [word, name] : kOperators) words.push_back(word);
  return words;
}

bool Matches(const Node& node, const Json& parameters) {
  for (const auto& [word, name] : kOperators)
    if (IsCallOf(node, name)) return HasWord(parameters, "from", word);
  return false;
}

// Not where an operand is a bare number: users know no such node.
std::vector<Node> Rewrite(const Node& node, const Json& parameters) {
  const Node a = node["args"].At(0), b = node["args"].At(1);
  if (!FloatTensor(a) || !FloatTensor(b)) return {};
  std::vector<Node> variants;
  for (const auto& [word, name] : kOperators)
    if (HasWord(parameters, "to", word)) variants.push_back(relax::OperatorCall(name, {a, b}));
  return variants;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.arithmetic", .category = "arithmetic node", .source = "paper",
        .summary = "Replaces an arithmetic node of two tensors with another.",
        .doc = R"(A wrong sign or a wrong operator at a node such as a residual connection; from
`["add"]` to `["subtract"]` is the paper's AN. No known issue.
The bias that the importer adds behind a convolution or a matrix product is left alone unless
`synthetic` asks for it. Floating-point tensors only.
Survives where the second operand is small (subtract for add), or always the smaller one (maximum);
power of negative values gives NaN and is loud.)",
        .example = "layers",
        .parameters = {WordsParameter("from", AllWords(), "Nodes to replace."),
                       WordsParameter("to", AllWords(),
                                      "What to put in their place; one mutant for each."),
                       SyntheticParameter()},
        .presets = {{.preset = "default",
                     .parameters = {{"from", Json::array({"add"})},
                                    {"to", Json::array({"subtract"})}}}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
