#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json& parameters) {
  if (!node.Is(type::kAttrStmt) || node["attr_key"].Text() != "thread_extent" ||
      !node["value"].Is(type::kIntImm))
    return false;
  const std::string& thread = parameters.at("thread").get_ref<const std::string&>();
  return thread == "any" || node["node"]["thread_tag"].Text() == thread;
}

std::vector<Node> Rewrite(const Node& launch, const Json& parameters) {
  const Node extent = launch["value"];
  const int64_t to = parameters.at("to").get<int64_t>();
  const int64_t changed = to > 0 ? to : extent.Int() + parameters.at("offset").get<int64_t>();
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
                        .doc = "How many more; may be negative. The extent stays at least 1."},
                       {.name = "to",
                        .type = "integer",
                        .fallback = 0,
                        .doc = "How many there are instead; 0 = as `offset` says."},
                       {.name = "thread",
                        .type = "string",
                        .fallback = "any",
                        .doc = "Of which dimension alone.",
                        .allowed = {"any", "blockIdx.x", "blockIdx.y", "blockIdx.z", "threadIdx.x",
                                    "threadIdx.y", "threadIdx.z"}}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
