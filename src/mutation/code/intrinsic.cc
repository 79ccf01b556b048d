#include <iterator>

#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr NamedKind kFunctions[] = {
    {"cos", intrinsic::kCos},     {"erf", intrinsic::kErf},     {"exp", intrinsic::kExp},
    {"fabs", intrinsic::kAbs},    {"floor", intrinsic::kFloor}, {"log", intrinsic::kLog},
    {"round", intrinsic::kRound}, {"rsqrt", intrinsic::kRsqrt}, {"sigmoid", intrinsic::kSigmoid},
    {"sin", intrinsic::kSin},     {"sqrt", intrinsic::kSqrt},   {"tanh", intrinsic::kTanh}};

const NamedKind* FunctionOf(const Node& node) {
  for (const NamedKind& function : kFunctions)
    if (IsIntrinsic(node, function.key)) return &function;
  return nullptr;
}

ParameterSpec FunctionsOf(const char* name, Json fallback, const char* doc) {
  ParameterSpec spec = {
      .name = name, .type = "strings", .fallback = std::move(fallback), .doc = doc};
  for (const NamedKind& function : kFunctions) spec.allowed.emplace_back(function.name);
  return spec;
}

bool Matches(const Node& node, const Json& parameters) {
  const NamedKind* function = FunctionOf(node);
  return function != nullptr && Names(parameters, "from", function->name);
}

std::vector<Node> Rewrite(const Node& call, const Json& parameters) {
  if (!IsFloat(call)) return {};
  std::vector<Node> replaced;
  for (const NamedKind& function : kFunctions)
    if (Names(parameters, "to", function.name) && !IsIntrinsic(call, function.key))
      replaced.push_back(WithFields(call, {{"op", Call(global::kGetOp, function.key)}}));
  return replaced;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.intrinsic", .category = "arithmetic operators", .source = "new",
        .summary = "Replaces a mathematical function of one argument with another.",
        .doc =
            R"(The wrong function, or a bad approximation of the right one: softmax has exp, sigmoid and SiLU have
sigmoid or exp, normalisation has sqrt.
Fault: TVM's issues 19546 (exp became the inaccurate __expf on CUDA), 19562 (erf was 0 for small values)
and 11696 (fast tanh of NaN).
Survives where the functions agree on the values that occur, and behind a softmax where order is kept.)",
        .example = "expressions",
        .parameters = {FunctionsOf("from",
                                   {"cos", "erf", "exp", "fabs", "floor", "log", "round", "rsqrt",
                                    "sigmoid", "sin", "sqrt", "tanh"},
                                   "The functions that are replaced."),
                       FunctionsOf("to", {"exp", "log", "sigmoid", "sqrt", "tanh"},
                                   "What stands in their place, a variant each.")},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
