#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return IsAccess(node); }

// The position in the flat buffer goes through the narrow type; the indices are those of the
// position that is left. Positions that fit are not changed.
std::vector<Node> Rewrite(const Node& access, const Json& parameters) {
  const std::string narrow = parameters.at("to");
  std::vector<int64_t> shape;
  double elements = 1;
  for (const Node& extent : BufferOf(access)["ty"]["shape"].Items()) {
    if (!extent.Is(type::kIntImm)) return {};
    shape.push_back(extent.Int());
    elements *= static_cast<double>(extent.Int());
  }
  if (shape.empty() || HoldsInteger(narrow, elements - 1)) return {};
  std::vector<Node> indices = access["indices"].Items();
  const Node first = indices[0];
  auto wide = [&](int64_t value) { return BroadcastLike(first, IntImm(ScalarType(first), value)); };
  Node position = indices[0];
  for (size_t axis = 1; axis < shape.size(); ++axis)
    position = Make(prim::kAdd, Make(prim::kMul, position, wide(shape[axis])), indices[axis]);
  // Written out: a cast would be moved into the arithmetic, whose constants need not fit.
  const int64_t count = int64_t{1} << std::stoi(narrow.substr(3));
  position = Make(prim::kFloorMod, Make(prim::kAdd, position, wide(count / 2)), wide(count));
  position = Make(prim::kSub, position, wide(count / 2));
  for (size_t axis = shape.size(); axis-- > 1;) {
    const Node extent = wide(shape[axis]);
    indices[axis] = Make(prim::kFloorMod, position, extent);
    position = Make(prim::kFloorDiv, position, extent);
  }
  indices[0] = position;
  return {WithFields(access, {{"indices", Node(indices)}})};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.index_type", .category = "arithmetic types", .source = "new",
        .summary = "Computes the position of a load or store in a narrow integer type.",
        .doc =
            R"(Index arithmetic that overflows: a position beyond 32767 wraps around in int16 and becomes negative.
Applies to a kernel's parameters; buffers all of whose positions fit are no mutation points.
Fault: TVM's pull requests 3870 (indices beyond int32) and 20129 (narrowing to int32 changed them).
Survives where the elements beyond the limit do not matter; often it leaves the buffer.)",
        .example = "expressions",
        .parameters = {{.name = "to",
                        .type = "string",
                        .fallback = "int16",
                        .doc = "The type that the position goes through.",
                        .allowed = {"int16", "int8"}}},
        .rewrites_indices = true, .parameters_only = true, .at_level_lowered = true,
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
