#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool IsAttribute(const Node& node, const char* key) {
  return node.Is(type::kAttrStmt) && node["attr_key"].Text() == key;
}

bool IsScope(const Node& node) {
  return IsAttribute(node, wait::kScope) && IsAttribute(node["body"], wait::kCount);
}

bool Matches(const Node& node, const Json&) {
  if (IsScope(node)) return true;
  if (!node.Is(type::kEvaluate)) return false;
  const Node call = node["value"];
  return IsIntrinsic(call, wait::kGroup) || IsIntrinsic(call, wait::kBulkGroup) ||
         IsIntrinsic(call, wait::kAll);
}

Node OneMore(const Node& count) {
  if (count.Is(type::kIntImm)) return IntImm(DTypeOf(count), count.Int() + 1);
  return Make(prim::kAdd, count, IntImm(DTypeOf(count), 1));
}

// The wait with one more group that may stay under way; null where it says no number.
Node OneLess(const Node& wait) {
  if (IsScope(wait)) {
    const Node count = wait["body"];
    return WithFields(wait, {{"body", WithFields(count, {{"value", OneMore(count["value"])}})}});
  }
  std::vector<Node> arguments = wait["value"]["args"].Items();
  if (arguments.empty()) return {};
  arguments[0] = OneMore(arguments[0]);
  return WithFields(wait, {{"value", WithFields(wait["value"], {{"args", Node(arguments)}})}});
}

std::vector<Node> Rewrite(const Node& wait, const Json& parameters) {
  std::vector<Node> replaced;
  if (Names(parameters, "to", "removed"))
    replaced.push_back(IsScope(wait) ? wait["body"]["body"] : Nothing());
  if (Names(parameters, "to", "one_less"))
    if (Node less = OneLess(wait)) replaced.push_back(std::move(less));
  return replaced;
}

}  // namespace

MUTATION_OPERATOR(
        .id = "lowered.async_wait", .category = "accelerators", .source = "new",
        .summary = "Removes a wait for asynchronous copies, or waits for one group of them less.",
        .doc =
            R"(A race with the copy: shared memory is read before all of it has come. The result may differ from run to
run.
Fault: a software pipeline that counts the copies under way wrongly at its first or last stages.
Survives where the copy is faster than what is done meanwhile.)",
        .example = "accelerators",
        .parameters = {{.name = "to",
                        .type = "strings",
                        .fallback = {"removed", "one_less"},
                        .doc = "What stands for the wait, a variant each.",
                        .allowed = {"removed", "one_less"}}},
        .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
