// What the graph operators ask of Relax nodes and make of them, and the parameters that several of
// them share. New calls are untyped; enumeration drops those whose type is another than that of
// what they replace.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mutation/operator.h"
#include "tvm/node.h"
#include "tvm/relax.h"

namespace mutatenn {

bool IsCallOf(const Node& node, const char* name);
// A call of a Relax operator, which is what a layer of the user's model becomes.
bool IsOperatorCall(const Node& node);
// The type of a tensor expression; nothing where it is no tensor or not static.
std::optional<relax::Tensor> StaticTensor(const Node& expression);
// The same, but only of floating-point elements.
std::optional<relax::Tensor> FloatTensor(const Node& expression);

// Parameters "functions" (words such as conv2d, or names of Relax operators) and "arg" (0 = data,
// 1 = weight).
ParameterSpec FunctionsParameter();
ParameterSpec ArgumentParameter();
ParameterSpec OrderParameter();  // "order": "before" the argument or "after" the result
// Parameter "synthetic": also nodes that the importer invented.
ParameterSpec SyntheticParameter();
// A list of some of `words`, by default all, in the order of the alphabet.
ParameterSpec WordsParameter(const std::string& name, const std::vector<std::string>& words,
                             const std::string& doc);
// A list of words such as WordsParameter's.
std::vector<std::string> Words(const Json& parameters, const char* name);
bool HasWord(const Json& parameters, const char* name, const std::string& word);

// A call of one of the functions that the parameter names.
bool IsChosenFunction(const Node& node, const Json& parameters);
// The arguments of a call; of one that takes a tuple of tensors (concat), its fields.
std::vector<Node> ArgumentsOf(const Node& call);
Node WithArguments(const Node& call, const std::vector<Node>& arguments);
// The chosen argument of such a call; null where the call has none.
Node ChosenArgument(const Node& call, const Json& parameters);
// The call with the chosen argument replaced.
Node WithChosenArgument(const Node& call, const Json& parameters, const Node& argument);

Node Scalar(double value);  // a float32 constant
Node ClipCall(const Node& x, double low, double high);
Node TransposeCall(const Node& x, const std::vector<int64_t>& axes);
Node ReshapeCall(const Node& x, const std::vector<int64_t>& shape);
// The corner of `x` with the lowest indices.
Node CropCall(const Node& x, const std::vector<int64_t>& shape);
// Zeros after the last index of each axis.
Node ExtendCall(const Node& x, const std::vector<int64_t>& shape, const std::vector<int64_t>& to);
// Whether the elements of a tensor of that shape lie in another order when its axes are permuted.
bool MovesElements(const std::vector<int64_t>& shape, const std::vector<int64_t>& axes);
// The expression cast, reshaped, or (with as many axes) cut off and filled up with zeros, to the
// type wanted. Nothing where TVM does not type it or its number of axes is another.
std::optional<Node> Fitted(const Node& expression, const relax::Tensor& wanted);
// A call of the Relax operator of that name on as many of `arguments` as it takes, the last one
// repeated where there are too few. Attributes come from `like`, where that has the kind wanted.
// Nothing where it needs others. Throws where there is no operator of that name.
std::optional<Node> GenericCall(const std::string& op, const std::vector<Node>& arguments,
                                const Node& like);
// The arrays of numbers among a call's attributes and arguments.
std::vector<int64_t> Integers(const Node& array);
Node IntegerArray(const std::vector<int64_t>& values);

}  // namespace mutatenn
