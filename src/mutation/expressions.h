// Scalar expressions and the statements that hold them, as the code operators see them: a traversal
// that knows what stands in an index and what does not, and predicates over nodes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mutation/operator.h"
#include "tvm/node.h"

namespace mutatenn {

enum class Descend { kNotIntoIndices, kEverywhere };
// Rebuilds a statement or expression post-order: `f` gets each node with its operands already
// mapped, and the node as it was, and returns the first or a replacement. Types, buffers and loop
// variables are no operands.
using MapExpression = std::function<Node(const Node& mapped, const Node& original)>;
Node MapExpressions(const Node& root, Descend descend, const MapExpression& f);
// Calls `f` with each node, in the same order.
void VisitExpressions(const Node& root, Descend descend, const std::function<void(const Node&)>& f);

bool IsAccess(const Node& node);  // a TensorLoad or a BufferStore
// The buffer of an access, and whether it is a parameter of the function.
Node BufferOf(const Node& access);
bool IsParameter(const Node& function, const Node& buffer);
bool HasLoad(const Node& expression);
// Whether a call is one of the named operator (namespace intrinsic).
bool IsIntrinsic(const Node& node, const char* name);
Node Nothing();                     // the statement that does nothing, for one that is dropped
bool IsConstant(const Node& node);  // an IntImm or FloatImm, or one broadcast to lanes
double ValueOf(const Node& constant);
// The dtype without lanes ("float32" of a float32x16), and those of the same lanes.
std::string ScalarType(const Node& expression);
Node TypeLike(const Node& expression, const std::string& scalar_type);
// A scalar, broadcast to the lanes of the expression.
Node BroadcastLike(const Node& expression, const Node& scalar);
// A constant of the expression's own dtype; nothing where it does not hold the value.
std::optional<Node> ConstantLike(const Node& expression, double value);
// Whether an integer dtype holds `value`, and a double counts it exactly.
bool HoldsInteger(const std::string& dtype, double value);

// Binary nodes that share an operator, by the names that parameters use.
struct NamedKind {
  const char* name;
  const char* key;  // type key and constructor
};
// The entry of a node in such a table; null where it has none.
const NamedKind* KindOf(const NamedKind* begin, const NamedKind* end, const Node& node);
bool Names(const Json& parameters, const char* parameter, const std::string& word);

// Every access that differs from `access` in one node of one index: `replacements` gives what may
// stand for a node there.
std::vector<Node> IndexVariants(const Node& access,
                                const std::function<std::vector<Node>(const Node&)>& replacements);

}  // namespace mutatenn
