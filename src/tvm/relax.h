// Relax, TVM's graph IR, as the compile room needs it: variables, calls with inferred types,
// functions of one dataflow block, and the passes that fuse. All may throw: use inside Guard.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tvm/node.h"

namespace mutatenn::relax {

// Type of a tensor: static shape and dtype. A tuple type gives one entry per field.
struct Tensor {
  std::vector<int64_t> shape;
  std::string dtype;
};
bool IsTuple(const Node& type);
std::vector<Tensor> TensorsOf(const Node& type);  // gives up where a shape is not static
Node TensorType(const Tensor& tensor);

Node Variable(const std::string& name, const Node& type,
              bool output);  // output: visible outside the dataflow
bool IsVariable(const Node& node);
bool IsConstant(const Node& node);
Node ScalarConstant(const std::string& dtype, double value);
// A constant tensor of raw little-endian elements, as many as the type says.
Node TensorConstant(const Tensor& type, const std::string& bytes);
std::string TensorBytes(const Node& constant);  // of a GenericConst: raw little-endian elements
Tensor ConstantType(const Node& constant);

// "relax.nn.conv2d" of a call of an operator, "relax.call_tir", "@name" of a call of a function, ""
// else.
std::string OperatorOf(const Node& value);
// Fields of a tuple expression.
std::vector<Node> TupleFields(const Node& tuple);
// The variables that an expression reads, in order, nested calls and tuples opened.
std::vector<Node> VariablesOf(const Node& expression);

// A call of an operator, untyped. `attributes`: null where it has none.
Node OperatorCall(const std::string& op, const std::vector<Node>& arguments,
                  const Node& attributes = Node());
// A call as OperatorCall makes it: its type is to be inferred.
Node WithoutType(const Node& call);
// An operator's number of inputs, and the type key of its attributes ("" = it has none). Throws
// where there is no operator of that name.
struct OperatorForm {
  int inputs = 0;
  std::string attributes;
};
OperatorForm FormOf(const std::string& op);

// The expression with variables replaced, by identity; calls whose arguments change lose their
// type.
Node Substituted(const Node& expression, const std::map<const void*, Node>& by);

// The type of an expression whose type is to be inferred.
Node MissingType();
// Infers the type of an expression over typed variables and constants; calls may be nested.
class Typer {
 public:
  Typer();
  ~Typer();
  Typer(const Typer&) = delete;
  Node Normalize(const Node& expression) const;  // the expression with its type
 private:
  Node builder_;
};

Node CallTir(const Node& global_variable, const std::vector<Node>& arguments, const Node& out_type);
Node GlobalVariable(const std::string& name, const Node& function);  // typed as the function
Node CallFunction(const Node& global_variable, const std::vector<Node>& arguments,
                  const Node& type);

struct Binding {
  Node variable, value;
};
// A function of one dataflow block. Variables that `output` names must have been made as outputs.
Node Function(const std::vector<Node>& parameters, const std::vector<Binding>& bindings,
              const Node& output);
struct FunctionView {
  std::vector<Node> parameters;
  std::vector<Binding> bindings;
  Node output;
};
// Gives up where the function has more than one block.
FunctionView View(const Node& function);

Node Module(const std::vector<std::pair<Node, Node>>& global_variable_to_function);
// Functions of a module as (GlobalVar name, function), sorted by name.
std::vector<std::pair<std::string, Node>> Functions(const Node& module);

int OpPattern(const Node& prim_func);         // 0 element-wise ... 4 fusable anchor, 8 opaque
Node AnnotatePattern(const Node& prim_func);  // with its op_pattern attribute
Node FuseOps(const Node& module);
Node FuseTir(const Node& module);

}  // namespace mutatenn::relax
