// How enumeration and application see a kernel: its leaf blocks, and in each the nodes of an
// operator's kind counted by occurrence. Internal to the room.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "mutation/operator.h"
#include "tvm/node.h"

namespace mutatenn {

// The s_tir.SBlocks of a PrimFunc that hold no other block, in program order.
std::vector<Node> LeafBlocks(const Node& function);
bool IsLeafBlock(const Node& block);
std::string BlockName(const Node& block);

// The place of a block's init or body in `function`.
Place PlaceOf(const Node& function, const Node& block, bool init);

// Of anything in a lowered function: blocks are gone.
inline constexpr Place kLoweredPlace = {.init = false, .reduction = false, .output = true};

// Calls `visit` with every node of the operator's kind in `root` and its number, from `first` on,
// and puts what it returns in its place. The order is that of evaluation (operands before what uses
// them); a node that stands in several places counts once for each. What stands in the indices of
// loads and stores is not visited: schedules change it. Returns the rebuilt root; `count` is raised
// by the number of nodes visited. A null root stays null.
using VisitMatch = std::function<Node(const Node& node, int number)>;
Node MapMatches(const MutationOperator& op, const Json& parameters, const Place& place,
                const Node& root, int first, const VisitMatch& visit, int* count);

}  // namespace mutatenn
