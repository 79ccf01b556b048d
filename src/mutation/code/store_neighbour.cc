#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) { return node.Is(type::kBufferStore); }

std::vector<Node> Rewrite(const Node& store, const Json& parameters) {
  std::vector<Node> indices = store["indices"].Items();
  const std::vector<Node> shape = store["buffer"]["ty"]["shape"].Items();
  for (size_t axis = indices.size(); axis-- > 0;) {
    if (shape[axis].Is(type::kIntImm) && shape[axis].Int() == 1) continue;
    const auto offset = ConstantLike(indices[axis], parameters.at("offset").get<double>());
    if (!offset || ValueOf(*offset) == 0) return {};
    indices[axis] = Make(prim::kAdd, indices[axis], *offset);
    return {WithFields(store, {{"indices", Node(indices)}})};
  }
  return {};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "code.store_neighbour", .category = "store value", .source = "new",
        .summary = "Stores a value into a neighbouring element, along the last axis.",
        .doc =
            R"(An index off by one where a result is written: the first element keeps what was there, and the last
value goes beyond the row, at the very end beyond the buffer.
Fault: TVM's issue 19524, where a wrongly simplified index shifted a kernel's accesses.
Survives where neighbours are nearly equal, as in smooth images, and what is never written is harmless.)",
        .example = "kernels",
        .parameters = {{.name = "offset",
                        .type = "integer",
                        .fallback = 1,
                        .doc = "How many elements further; may be negative."}},
        .rewrites_indices = true, .at_level_lowered = true, .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
