// Words to Relax calls and back.
#include "mutation/activations.h"

#include <utility>

#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr std::pair<const char*, const char*> kNodes[] = {
    {"gelu", op::kGelu}, {"leaky_relu", op::kLeakyRelu},
    {"relu", op::kRelu}, {"sigmoid", op::kSigmoid},
    {"silu", op::kSilu}, {"tanh", op::kTanh}};

Node HardSigmoid(const Node& x) {
  const Node scaled = relax::OperatorCall(op::kMultiply, {x, Scalar(1.0 / 6)});
  return ClipCall(relax::OperatorCall(op::kAdd, {scaled, Scalar(0.5)}), 0, 1);
}

}  // namespace

const std::vector<std::string>& ActivationWords() {
  static const std::vector<std::string> words = {
      "gelu", "hard_sigmoid", "hard_swish", "identity", "leaky_relu",
      "relu", "relu6",        "sigmoid",    "silu",     "tanh"};
  return words;
}

const std::vector<std::string>& ActivationsOfOneNode() {
  static const std::vector<std::string> words = {"gelu",    "leaky_relu", "relu", "relu6",
                                                 "sigmoid", "silu",       "tanh"};
  return words;
}

std::string ActivationOf(const Node& node) {
  for (const auto& [word, name] : kNodes)
    if (IsCallOf(node, name)) return word;
  if (IsCallOf(node, op::kClip) && node["args"].At(1).Float() == 0) return "relu6";
  return "";
}

Node ActivationCall(const std::string& word, const Node& x) {
  if (word == "identity") return x;
  if (word == "relu6") return ClipCall(x, 0, 6);
  if (word == "hard_sigmoid") return HardSigmoid(x);
  if (word == "hard_swish") return relax::OperatorCall(op::kMultiply, {x, HardSigmoid(x)});
  if (word == "leaky_relu") return Call(make::kLeakyRelu, x, 0.01);
  for (const auto& [known, name] : kNodes)
    if (word == known) return relax::OperatorCall(name, {x});
  GiveUp("no activation '" + word + "'");
}

}  // namespace mutatenn
