// What a graph operator makes of one binding, seen alike by enumeration and application. Internal
// to the room.
#pragma once

#include <vector>

#include "mutation/graph_view.h"
#include "mutation/operator.h"
#include "mutation/subject.h"

namespace mutatenn {

// All variants at a binding that matches, in the operator's order.
std::vector<GraphEdit> EditsAt(const MutationOperator& op, const Json& parameters,
                               const GraphView& view, size_t binding);
// TVM accepts the new value, its type is the old one's, and it is not the old one over again.
bool IsMutation(const Graph& graph, const GraphEdit& edit);

}  // namespace mutatenn
