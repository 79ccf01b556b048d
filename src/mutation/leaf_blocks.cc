// Leaf blocks out of a PrimFunc; numbered matches out of a block's init or body.
#include "mutation/leaf_blocks.h"

#include "tvm/symbols.h"

namespace mutatenn {

bool IsLeafBlock(const Node& block) {
  if (!block.Is(type::kSBlock)) return false;
  bool leaf = true;
  for (const char* part : {"init", "body"}) {
    const Node statement = block[part];
    if (statement)
      Walk(statement, [&](const Node& node) { leaf = leaf && !node.Is(type::kSBlock); });
  }
  return leaf;
}

std::vector<Node> LeafBlocks(const Node& function) {
  std::vector<Node> blocks;
  Walk(function["body"], [&](const Node& node) {
    if (IsLeafBlock(node)) blocks.push_back(node);
  });
  return blocks;
}

std::string BlockName(const Node& block) { return block["name_hint"].Text(); }

Node MapMatches(const MutationOperator& op, const Json& parameters, const Node& root, int first,
                const VisitMatch& visit, int* count) {
  if (!root) return root;
  int number = first;
  Node mapped = Map(root, [&](const Node& node) {
    return op.matches(node, parameters) ? visit(node, number++) : node;
  });
  *count += number - first;
  return mapped;
}

}  // namespace mutatenn
