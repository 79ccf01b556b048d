#include "mutation/operator.h"
#include "mutation/rounding.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return node.Is(type::kBufferStore); }

// Not where the value is a constant that float16 holds exactly, such as the 0 that starts a
// reduction.
std::vector<Node> Rewrite(const Node& store, const Json&) {
  const Node value = store["value"];
  if (DTypeOf(value) != "float32") return {};
  if (value.Is(type::kFloatImm) && RoundTo("float16", value.Float()) == value.Float()) return {};
  const Node half = Make(prim::kCast, PrimType("float16"), value);
  return {WithFields(store, {{"value", Make(prim::kCast, PrimType("float32"), half)}})};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.store_float16", .category = "arithmetic types", .source = "paper",
        .summary = "Rounds a float32 value to float16 as it is stored.",
        .doc =
            R"(A type too narrow: 11 bits of precision are left, and values beyond 65504 become infinite.
Survives where the network tolerates half precision there.)",
        .example = "kernels",
        .parameters = {{.name = "mode",
                        .type = "string",
                        .fallback = "round",
                        .doc = "round: the value goes through float16 and back.",
                        .allowed = {"round"}}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
