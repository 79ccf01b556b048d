#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) {
  return node.Is(type::kAttrStmt) && node["attr_key"].Text() == "thread_extent" &&
         node["value"].Is(type::kIntImm);
}

std::vector<Node> Rewrite(const Node& launch, const Json& parameters) {
  const Node extent = launch["value"];
  const int64_t changed = extent.Int() + parameters.at("offset").get<int64_t>();
  if (changed < 1 || changed == extent.Int()) return {};
  return {WithFields(launch, {{"value", IntImm(DTypeOf(extent), changed)}})};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "lowered.thread_extent", .category = "accelerators", .source = "tool",
        .summary = "Launches a kernel with more or fewer threads or blocks.",
        .doc =
            R"(The tool's change_block. With one too few the last piece of the work is not done; with one too many
it is done beyond the buffers, where no predicate stops it.
Fault: no known issue of TVM's.
Survives where a predicate leaves the last threads idle.)",
        .example = "lowered",
        .parameters = {{.name = "offset",
                        .type = "integer",
                        .fallback = -1,
                        .doc = "How many more; may be negative. The extent stays at least 1."}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
