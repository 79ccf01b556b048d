#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) {
  return node.Is(prim::kAdd) && IsFloat(node) &&
         (node["a"].Is(prim::kMul) || node["b"].Is(prim::kMul));
}

std::vector<Node> Rewrite(const Node& sum, const Json& parameters) {
  const bool product_is_last = sum["b"].Is(prim::kMul);
  const Node product = sum[product_is_last ? "b" : "a"], addend = sum[product_is_last ? "a" : "b"];
  auto with_product = [&](const Node& other) {
    return product_is_last ? Make(prim::kAdd, addend, other) : Make(prim::kAdd, other, addend);
  };
  std::vector<Node> replaced;
  if (Names(parameters, "dropped", "addend")) replaced.push_back(product);
  if (Names(parameters, "dropped", "product")) replaced.push_back(addend);
  if (Names(parameters, "dropped", "first_factor")) replaced.push_back(with_product(product["b"]));
  if (Names(parameters, "dropped", "second_factor")) replaced.push_back(with_product(product["a"]));
  return replaced;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.multiply_add", .category = "arithmetic operators", .source = "new",
        .summary = "Drops the addend, the product or a factor of a multiply-add.",
        .doc =
            R"(The step of every convolution and matrix product, a * b + c, with a part of it lost: without the
addend a sum is its last product, without the product its start.
Fault: a multiply-add matched or fused wrongly; no known issue of TVM's.
Survives seldom: where the part is 0, or 1 for a factor.)",
        .example = "kernels",
        .parameters = {{.name = "dropped",
                        .type = "strings",
                        .fallback = {"addend", "first_factor", "product", "second_factor"},
                        .doc = "The part that is left out, a variant each.",
                        .allowed = {"addend", "product", "first_factor", "second_factor"}}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
