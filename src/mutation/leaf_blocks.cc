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
  // What matches is decided on the nodes as they were: a changed operand must not hide the node
  // around it, nor shift the numbers. Map never enters what `visit` puts in, so the n-th node
  // visited is the same one both times.
  std::vector<bool> matches;
  Map(root, [&](const Node& node) {
    matches.push_back(op.matches(node, parameters));
    return node;
  });
  int number = first;
  size_t visited = 0;
  Node mapped = Map(
      root, [&](const Node& node) { return matches.at(visited++) ? visit(node, number++) : node; });
  *count += number - first;
  return mapped;
}

}  // namespace mutatenn
