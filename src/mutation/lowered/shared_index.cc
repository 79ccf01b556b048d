#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) {
  return IsAccess(node) && BufferOf(node)["ty"]["storage_scope"].Text().starts_with("shared");
}

std::vector<Node> Rewrite(const Node& access, const Json& parameters) {
  std::vector<Node> indices = access["indices"].Items();
  if (indices.empty()) return {};
  const auto offset = ConstantLike(indices.back(), parameters.at("offset").get<double>());
  if (!offset || ValueOf(*offset) == 0) return {};
  indices.back() = Make(prim::kAdd, indices.back(), *offset);
  return {WithFields(access, {{"indices", Node(indices)}})};
}

}  // namespace

MUTATION_OPERATOR(.id = "lowered.shared_index", .category = "accelerators", .source = "new",
                  .summary = "Shifts the index of a load from shared memory or a store to it.",
                  .doc =
                      R"(A thread takes or leaves its neighbour's element.
Fault: TVM's issue 17439 (shared memory merged under accesses that were planned before).
Survives where neighbouring elements are alike.)",
                  .example = "lowered",
                  .parameters = {{.name = "offset",
                                  .type = "integer",
                                  .fallback = 1,
                                  .doc = "How many elements further; may be negative."}},
                  .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
