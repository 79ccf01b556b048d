#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool Matches(const Node& node, const Json&) {
  return node.Is(type::kEvaluate) && IsIntrinsic(node["value"], intrinsic::kStorageSync);
}

std::vector<Node> Rewrite(const Node& barrier, const Json& parameters) {
  std::vector<Node> replaced;
  if (Names(parameters, "to", "removed")) replaced.push_back(Nothing());
  const Node call = barrier["value"];
  const bool warp = call["args"].At(0)["value"].Text() == "warp";
  if (Names(parameters, "to", "warp") && !warp)
    replaced.push_back(WithFields(
        barrier,
        {{"value", WithFields(call, {{"args", Node({Make(global::kStringImm, "warp")})}})}}));
  return replaced;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "lowered.barrier", .category = "accelerators", .source = "new",
        .summary = "Removes a barrier of the threads of a block, or narrows it to a warp.",
        .doc =
            R"(A race: a thread reads shared memory that another has yet to write. The result may differ from run to
run.
Fault: TVM's issues 2767 (a barrier missing in an all-reduce), 15478 (buffers in shared.dyn were not
seen) and 17439 (barriers set before shared memory is merged).
Survives where the threads that share data are of one warp, or happen to keep step.)",
        .example = "lowered",
        .parameters = {{.name = "to",
                        .type = "strings",
                        .fallback = {"removed", "warp"},
                        .doc = "What stands for the barrier, a variant each.",
                        .allowed = {"removed", "warp"}}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
