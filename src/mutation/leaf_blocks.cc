// Leaf blocks out of a PrimFunc; numbered matches out of a block's init or body.
#include "mutation/leaf_blocks.h"

#include "mutation/expressions.h"
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

Place PlaceOf(const Node& function, const Node& block, bool init) {
  Place place = {init, block["init"].defined(), false};
  for (const Node& region : block["writes"].Items())
    place.output = place.output || IsParameter(function, region["source"]);
  return place;
}

Node MapMatches(const MutationOperator& op, const Json& parameters, const Place& place,
                const Node& root, int first, const VisitMatch& visit, int* count) {
  if (!root || (op.considers != nullptr && !op.considers(place, parameters))) return root;
  int number = first;
  // What matches is decided on the node as it was: a changed operand must neither hide the node
  // around it nor shift the numbers.
  Node mapped =
      MapExpressions(root, Descend::kNotIntoIndices, [&](const Node& node, const Node& original) {
        return op.matches(original, parameters) ? visit(node, number++) : node;
      });
  *count += number - first;
  return mapped;
}

}  // namespace mutatenn
