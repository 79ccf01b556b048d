// What the graph operators ask of Relax nodes, and the parameters that several of them share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mutation/operator.h"
#include "tvm/node.h"
#include "tvm/relax.h"

namespace mutatenn {

bool IsCallOf(const Node& node, const char* name);
// The type of a tensor expression; nothing where it is no tensor or not static.
std::optional<relax::Tensor> StaticTensor(const Node& expression);

// Parameters "functions" (of kFunctions below) and "arg" (0 = data, 1 = weight).
ParameterSpec FunctionsParameter();
ParameterSpec ArgumentParameter();
// Parameter "synthetic": also nodes that the importer invented.
ParameterSpec SyntheticParameter();
// A call of one of the functions that the parameter names: conv2d, dense (a matrix product),
// batch_norm.
bool IsChosenFunction(const Node& node, const Json& parameters);
// The chosen argument of such a call; null where the call has none.
Node ChosenArgument(const Node& call, const Json& parameters);
// The call with the chosen argument replaced.
Node WithChosenArgument(const Node& call, const Json& parameters, const Node& argument);

}  // namespace mutatenn
