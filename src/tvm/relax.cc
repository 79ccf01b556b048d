// Relax nodes built and taken apart by their registered constructors and fields.
#include "tvm/relax.h"

#include <algorithm>
#include <cstring>
#include <new>

#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/tvm_ffi.h>

#include "tvm/symbols.h"

namespace mutatenn::relax {

bool IsTuple(const Node& type) { return type.Is(type::kTupleType); }

std::vector<Tensor> TensorsOf(const Node& ty) {
  std::vector<Tensor> tensors;
  if (IsTuple(ty)) {
    for (const Node& field : ty["fields"].Items())
      for (Tensor& tensor : TensorsOf(field)) tensors.push_back(std::move(tensor));
    return tensors;
  }
  if (!ty.Is(type::kTensorType))
    GiveUp("a value of type " + std::string(ty.key()) + " is no tensor");
  Node shape = ty["shape"];
  if (!shape || !shape.Is(type::kShapeExpr)) GiveUp("a tensor has no static shape");
  Tensor tensor;
  for (const Node& extent : shape["values"].Items()) {
    if (!extent.Is(type::kIntImm)) GiveUp("a tensor has a symbolic extent");
    tensor.shape.push_back(extent.Int());
  }
  Node prim = ty["dtype"];
  if (!prim) GiveUp("a tensor has no element type");
  Node holder = Make(global::kVar, "t", prim);
  tensor.dtype = DTypeOf(holder);
  return {tensor};
}

Node TensorType(const Tensor& tensor) {
  std::vector<Node> extents;
  for (int64_t extent : tensor.shape) extents.push_back(IntImm("int64", extent));
  Node shape = Make(global::kShapeExpr, Node(extents));
  return Make(global::kTensorType, shape, PrimType(tensor.dtype), -1, Node());  // rank: the shape's
}

Node Variable(const std::string& name, const Node& type, bool output) {
  return Make(output ? global::kVar : global::kDataflowVar, name, type);
}
bool IsVariable(const Node& node) { return node.Is(type::kVar) || node.Is(type::kDataflowVar); }
bool IsConstant(const Node& node) { return node.Is(type::kConstant); }

Node ScalarConstant(const std::string& dtype, double value) {
  if (dtype != "float32") GiveUp("no scalar constant of type " + dtype + " is needed so far");
  const float element = static_cast<float>(value);
  return TensorConstant({{}, dtype},
                        std::string(reinterpret_cast<const char*>(&element), sizeof(element)));
}

Node TensorConstant(const Tensor& type, const std::string& bytes) {
  struct Allocator {
    void AllocData(DLTensor* tensor) {
      tensor->data = ::operator new(tvm::ffi::GetDataSize(*tensor), std::align_val_t(64));
    }
    void FreeData(DLTensor* tensor) { ::operator delete(tensor->data, std::align_val_t(64)); }
  };
  auto tensor =
      tvm::ffi::Tensor::FromNDAlloc(Allocator(), tvm::ffi::Shape(type.shape),
                                    tvm::ffi::StringToDLDataType(type.dtype), DLDevice{kDLCPU, 0});
  if (bytes.size() != tvm::ffi::GetDataSize(tensor.numel(), tensor.dtype()))
    GiveUp("a constant of " + std::to_string(bytes.size()) + " bytes does not fit its type");
  std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  Node node;
  *static_cast<tvm::ffi::Any*>(node.storage()) = tensor;
  return Make(global::kTensorConstant, node, Node());
}

namespace {
tvm::ffi::Tensor TensorOf(const Node& constant) {
  Node value = constant["value"];
  return static_cast<const tvm::ffi::Any*>(value.storage())->cast<tvm::ffi::Tensor>();
}
}  // namespace

std::string TensorBytes(const Node& constant) {
  tvm::ffi::Tensor tensor = TensorOf(constant);
  size_t bytes = tvm::ffi::GetDataSize(tensor.numel(), tensor.dtype());
  return std::string(static_cast<const char*>(tensor.data_ptr()), bytes);
}
Tensor ConstantType(const Node& constant) {
  tvm::ffi::Tensor tensor = TensorOf(constant);
  Tensor result;
  for (int i = 0; i < tensor.ndim(); ++i) result.shape.push_back(tensor.shape()[i]);
  result.dtype = std::string(tvm::ffi::DLDataTypeToString(tensor.dtype()));
  return result;
}

std::string OperatorOf(const Node& value) {
  if (!value.Is(type::kCall)) return "";
  Node op = value["op"];
  if (op.Is(type::kOp)) return op["name"].Text();
  if (op.Is(type::kGlobalVar)) return "@" + op["name_hint"].Text();
  return "";
}

std::vector<Node> TupleFields(const Node& tuple) { return tuple["fields"].Items(); }

namespace {
void CollectVariables(const Node& expression, std::vector<Node>& into) {
  if (IsVariable(expression)) {
    into.push_back(expression);
  } else if (expression.Is(type::kTuple)) {
    for (const Node& field : TupleFields(expression)) CollectVariables(field, into);
  } else if (expression.Is(type::kTupleGetItem)) {
    CollectVariables(expression["tuple_value"], into);
  } else if (expression.Is(type::kCall)) {
    for (const Node& argument : expression["args"].Items()) CollectVariables(argument, into);
  }
}
}  // namespace

std::vector<Node> VariablesOf(const Node& expression) {
  std::vector<Node> variables;
  CollectVariables(expression, variables);
  return variables;
}

Node Substituted(const Node& expression, const std::map<const void*, Node>& by) {
  auto each = [&](const std::vector<Node>& expressions) {
    std::vector<Node> substituted;
    for (const Node& e : expressions) substituted.push_back(Substituted(e, by));
    return Node(substituted);
  };
  if (IsVariable(expression)) {
    auto found = by.find(expression.id());
    return found == by.end() ? expression : found->second;
  }
  if (expression.Is(type::kTuple)) return Make(global::kTuple, each(TupleFields(expression)));
  if (expression.Is(type::kTupleGetItem))
    return Make(global::kTupleGetItem, Substituted(expression["tuple_value"], by),
                expression["index"]);
  if (!expression.Is(type::kCall)) return expression;
  return WithoutType(WithFields(expression, {{"args", each(expression["args"].Items())}}));
}

Typer::Typer() : builder_(Call(global::kBlockBuilder, Node())) {
  Call(global::kBeginDataflow, builder_);
}
Typer::~Typer() {
  // A builder that dies with an open block says so on stderr.
  (void)Guard("", [&] { return Call(global::kEndBlock, builder_); });
}
Node OperatorCall(const std::string& op, const std::vector<Node>& arguments,
                  const Node& attributes) {
  return Make(global::kCall, MissingType(), Call(global::kGetOp, op), Node(arguments), attributes,
              Node(std::vector<Node>{}));
}

Node WithoutType(const Node& call) { return WithFields(call, {{"ty", MissingType()}}); }

OperatorForm FormOf(const std::string& name) {
  const Node op = Call(global::kGetOp, name);
  return {static_cast<int>(op["num_inputs"].Int()), op["attrs_type_key"].Text()};
}

Node MissingType() { return Call(global::kTypeMissing); }
Node Typer::Normalize(const Node& expression) const {
  return Call(global::kNormalize, builder_, expression);
}

Node CallTir(const Node& global_variable, const std::vector<Node>& arguments,
             const Node& out_type) {
  static const Node op = Call(global::kGetOp, "relax.call_tir");
  return Make(global::kCall, out_type, op,
              Node({global_variable, Make(global::kTuple, Node(arguments))}), Node(),
              Node({out_type}));
}

Node GlobalVariable(const std::string& name, const Node& function) {
  Node variable = Call(global::kGlobalVar, name);
  Call(global::kUpdateType, variable, function["ty"]);
  return variable;
}

Node CallFunction(const Node& global_variable, const std::vector<Node>& arguments,
                  const Node& type) {
  return Make(global::kCall, type, global_variable, Node(arguments), Node(),
              Node(std::vector<Node>{}));
}

Node Function(const std::vector<Node>& parameters, const std::vector<Binding>& bindings,
              const Node& output) {
  std::vector<Node> nodes;
  for (const Binding& binding : bindings)
    nodes.push_back(Make(global::kVarBinding, binding.variable, binding.value));
  Node block = Make(global::kDataflowBlock, Node(nodes));
  Node body = Make(global::kSeqExpr, Node({block}), output);
  body = Typer().Normalize(body);
  return Make(
      global::kRelaxFunction, Node(parameters), body, Node(), true,
      MakeModule({})["attrs"]);  // ir.DictAttrs has no constructor of its own; this one is empty
}

FunctionView View(const Node& function) {
  FunctionView view;
  view.parameters = function["params"].Items();
  Node body = function["body"];
  std::vector<Node> blocks = body["blocks"].Items();
  if (blocks.size() > 1) GiveUp("a function has control flow");
  for (const Node& block : blocks)
    for (const Node& binding : block["bindings"].Items()) {
      if (!binding.Is(type::kVarBinding)) GiveUp("a binding of type " + std::string(binding.key()));
      view.bindings.push_back({binding["var"], binding["value"]});
    }
  view.output = body["body"];
  return view;
}

Node Module(const std::vector<std::pair<Node, Node>>& functions) {
  std::vector<std::pair<Node, Node>> entries(functions.begin(), functions.end());
  return Call(global::kIRModule, MakeDict(entries), Node(), MakeDict({}));
}

std::vector<std::pair<std::string, Node>> Functions(const Node& module) {
  std::vector<std::pair<std::string, Node>> functions;
  for (const auto& [variable, function] : module["functions"].Entries())
    functions.emplace_back(variable["name_hint"].Text(), function);
  std::sort(functions.begin(), functions.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return functions;
}

int OpPattern(const Node& prim_func) {
  Node pattern = Attribute(prim_func, "op_pattern");
  return pattern ? static_cast<int>(pattern.Int()) : 8;
}

Node AnnotatePattern(const Node& prim_func) {
  Node module = MakeModule({{"f", WithAttribute(prim_func, "global_symbol", "f")}});
  module = RunPass(Call(global::kAnnotatePattern), module);
  return WithoutAttribute(FunctionOf(module, "f"), "global_symbol");
}

Node FuseOps(const Node& module) { return RunPass(Call(global::kFuseOps, -1), module); }
Node FuseTir(const Node& module) { return RunPass(Call(global::kFuseTir), module); }

}  // namespace mutatenn::relax
