#include "mutation/expressions.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// Arguments of the call: the address of an element, what is added to it.
bool Matches(const Node& node, const Json&) {
  if (!node.Is(type::kEvaluate)) return false;
  const Node call = node["value"];
  if (!IsIntrinsic(call, intrinsic::kAtomicAdd) && !IsIntrinsic(call, intrinsic::kCudaAtomicAdd))
    return false;
  const Node address = call["args"].At(0);
  return IsIntrinsic(address, intrinsic::kAddressOf) && address["args"].At(0).Is(type::kTensorLoad);
}

std::vector<Node> Rewrite(const Node& evaluate, const Json&) {
  const Node call = evaluate["value"];
  const Node load = call["args"].At(0)["args"].At(0);
  const Node sum = Make(prim::kAdd, load, call["args"].At(1));
  return {Make(global::kBufferStore, BufferOf(load), sum, load["indices"])};
}

}  // namespace

MUTATION_OPERATOR(
        .id = "lowered.atomic", .category = "accelerators", .source = "new",
        .summary = "Makes an atomic addition a plain one: load, add, store.",
        .doc =
            R"(A race: of two threads that add to one element at a time, one addition is lost. The result may differ
from run to run.
Fault: no known issue of TVM's; atomics left out are a classic fault of scatters and histograms.
Survives where no two threads add to one element at a time, as on a single thread.)",
        .example = "accelerators", .matches = Matches, .rewrite = Rewrite);

}  // namespace mutatenn
