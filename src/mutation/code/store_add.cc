#include "mutation/operator.h"
#include "mutation/rounding.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return node.Is(type::kBufferStore); }

std::vector<Node> Rewrite(const Node& store, const Json& parameters) {
  const Node value = store["value"];
  const auto addend = Addend(DTypeOf(value), parameters.at("value"));
  if (!addend) return {};
  return {WithFields(store, {{"value", Make(prim::kAdd, value, *addend)}})};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.store_add", .category = "store value", .source = "paper",
        .summary = "Adds a constant to a floating-point value as it is stored.",
        .doc =
            R"(A small error in what a kernel writes; in a reduction it is made at every step of it.
Survives where the constant is below the rounding of the values, which is what the default tests.)",
        .example = "kernels",
        .parameters = {{.name = "value",
                        .type = "number",
                        .fallback = -1e-8,
                        .doc = "The constant; may be negative."}},
        .presets = {{.preset = "default", .parameters = {{"value", 1.0}}}}, .matches = Matches,
        .rewrite = Rewrite);

}  // namespace mutatenn
