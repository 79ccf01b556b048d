#include <cmath>
#include <cstring>

#include "mutation/random.h"
#include "mutation/relax_calls.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// n x n, uniform with variance 1 / n: values keep their size.
Node Weight(int64_t n, uint64_t seed) {
  Random random(seed);
  const double bound = std::sqrt(3.0 / static_cast<double>(n));
  std::vector<float> elements(static_cast<size_t>(n * n));
  for (float& element : elements) element = static_cast<float>(bound * (2 * random.Uniform() - 1));
  return relax::TensorConstant(
      {{n, n}, "float32"},
      std::string(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(float)));
}

std::vector<Node> Rewrite(const Node& call, const Json& parameters) {
  const Node argument = ChosenArgument(call, parameters);
  const auto tensor = argument ? FloatTensor(argument) : std::nullopt;
  if (!tensor || tensor->dtype != "float32" || tensor->shape.size() < 2) return {};
  const int64_t n = tensor->shape.back();
  const Node weight = Weight(n, parameters.at("seed").get<uint64_t>());
  return {WithChosenArgument(call, parameters, Call(make::kMatmul, argument, weight, Node()))};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "graph.dense_input", .category = "node input/output", .source = "new",
        .summary =
            "Puts a dense node of random weights before an argument of the chosen functions.",
        .doc =
            R"(A layer too many: a matrix product over the argument's last axis, square, its weights uniform from the
seed with the variance that keeps values at their size. DeepMutation's layer addition, at an input.
No known issue.
Survives hardly ever.)",
        .example = "layers",
        .parameters = {FunctionsParameter(), ArgumentParameter(), SeedParameter()},
        .matches = IsChosenFunction, .rewrite = Rewrite);

}  // namespace mutatenn
