// FuseOps renames what it moves, so names are found again by dataflow: a call of a PrimFunc on
// values of known names is the binding of the legalised graph that makes the same call.
#include "compile/fuse.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <set>

#include "base/hash.h"
#include "tvm/relax.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

TensorType TypeOf(const relax::Tensor& tensor) { return {tensor.shape, tensor.dtype}; }

std::vector<TensorType> TypesOf(const Node& type) {
  std::vector<TensorType> types;
  for (const relax::Tensor& tensor : relax::TensorsOf(type)) types.push_back(TypeOf(tensor));
  return types;
}

// Names of values by variable, and of bindings by the call they make.
class Names {
 public:
  void Set(const Node& variable, const std::string& name) { by_variable_[variable.id()] = {name}; }
  void SetTuple(const Node& variable, std::vector<std::string> names) {
    by_variable_[variable.id()] = std::move(names);
  }
  const std::vector<std::string>& Of(const Node& variable) const {
    auto found = by_variable_.find(variable.id());
    if (found == by_variable_.end()) GiveUp("fusion made a value of unknown origin");
    return found->second;
  }
  std::string Argument(const Node& argument) const {
    if (relax::IsVariable(argument)) return Of(argument).at(0);
    // A constant is one object before and after fusion.
    return "constant " + std::to_string(reinterpret_cast<uintptr_t>(argument.id()));
  }
  // "conv2d_0(x, w)": the same for a binding before fusion and for its copy inside a group.
  std::string CallKey(const Node& value) const {
    std::string key = value["args"].At(0)["name_hint"].Text() + "(";
    for (const Node& argument : relax::TupleFields(value["args"].At(1)))
      key += Argument(argument) + ",";
    return key + ")";
  }

 private:
  std::map<const void*, std::vector<std::string>> by_variable_;
};

bool IsCallTir(const Node& value) { return relax::OperatorOf(value) == "relax.call_tir"; }

// Which bindings depend on weights only.
std::set<const void*> WeightOnly(const Graph& graph) {
  std::set<const void*> weights;
  for (size_t i = static_cast<size_t>(graph.num_inputs); i < graph.parameters.size(); ++i)
    weights.insert(graph.parameters[i].id());
  for (const GraphBinding& binding : graph.bindings) {
    const std::vector<Node> read = relax::VariablesOf(binding.value);
    if (std::all_of(read.begin(), read.end(),
                    [&](const Node& variable) { return weights.count(variable.id()) > 0; }))
      weights.insert(binding.variable.id());
  }
  return weights;
}

Node Substitute(const Node& node, const std::map<const void*, Node>& by) {
  if (relax::IsVariable(node)) {
    auto found = by.find(node.id());
    return found == by.end() ? node : found->second;
  }
  if (node.Is(type::kTuple)) {
    std::vector<Node> fields;
    for (const Node& field : relax::TupleFields(node)) fields.push_back(Substitute(field, by));
    return Make(global::kTuple, Node(fields));
  }
  if (node.Is(type::kTupleGetItem))
    return Make(global::kTupleGetItem, Substitute(node["tuple_value"], by), node["index"]);
  if (IsCallTir(node)) {
    std::vector<Node> arguments;
    for (const Node& argument : relax::TupleFields(node["args"].At(1)))
      arguments.push_back(Substitute(argument, by));
    return relax::CallTir(node["args"].At(0), arguments, node["ty_args"].At(0));
  }
  return node;
}

// Fuses one legalised graph: each half (weight-only, then the rest) as a function of its own.
class Fuser {
 public:
  // Fuses a group of calls into one kernel; FuseMemo's.
  using FuseGroup = std::function<const FuseMemo::Group&(const Node& group)>;

  Fuser(const Graph& graph, const FunctionTable& table, FuseGroup fuse_group)
      : graph_(graph), table_(table), fuse_group_(std::move(fuse_group)) {}

  FusedGraph Run() {
    NameBindings();
    SplitHalves();
    FuseHalf(halves_[0], {}, /*weight_only=*/true);
    FuseHalf(halves_[1], halves_[0].wanted, /*weight_only=*/false);
    for (const Node& output : relax::VariablesOf(graph_.output))
      result_.outputs.push_back(names_.Of(output).at(0));
    return std::move(result_);
  }

 private:
  struct Half {
    std::vector<const GraphBinding*> bindings;
    std::vector<Node> wanted;  // variables used outside, in order
  };

  // Names of every value, and which binding makes which call.
  void NameBindings() {
    for (const Node& parameter : graph_.parameters) names_.Set(parameter, parameter["name"].Text());
    for (const GraphBinding& binding : graph_.bindings) {
      std::vector<std::string> fields = {binding.name};
      if (binding.value.Is(type::kTuple)) {
        fields.clear();
        for (const Node& field : relax::TupleFields(binding.value))
          fields.push_back(names_.Argument(field));
      } else if (binding.value.Is(type::kTupleGetItem)) {
        fields = {ItemName(names_, binding.value)};
      } else if (relax::IsTuple(binding.variable["ty"])) {
        fields.clear();
        for (size_t i = 0; i < relax::TensorsOf(binding.variable["ty"]).size(); ++i)
          fields.push_back(binding.name + "." + std::to_string(i));
      }
      names_.SetTuple(binding.variable, fields);
      if (IsCallTir(binding.value)) by_call_[names_.CallKey(binding.value)].push_back(&binding);
    }
  }

  void SplitHalves() {
    const std::set<const void*> weights = WeightOnly(graph_);
    std::set<const void*> outside_ok;  // parameters need no half to make them
    for (const Node& parameter : graph_.parameters) outside_ok.insert(parameter.id());
    std::vector<Node> used;  // by the second half or as an output
    for (const GraphBinding& binding : graph_.bindings) {
      const bool only = weights.count(binding.variable.id()) > 0;
      halves_[only ? 0 : 1].bindings.push_back(&binding);
      if (only) continue;
      for (const Node& variable : relax::VariablesOf(binding.value)) used.push_back(variable);
    }
    const std::vector<Node> outputs = relax::VariablesOf(graph_.output);
    used.insert(used.end(), outputs.begin(), outputs.end());
    for (const Node& variable : used)
      if (weights.count(variable.id()) && outside_ok.insert(variable.id()).second)
        halves_[0].wanted.push_back(variable);
    for (const Node& output : outputs)
      if (!weights.count(output.id()) && outside_ok.insert(output.id()).second)
        halves_[1].wanted.push_back(output);
  }

  // The binding that makes this call, whose names may be given in another scope. Calls that are
  // equal in all are taken in order; the last one stays for a copy that fusion made.
  const GraphBinding& Recognise(const Names& scope, const Node& value) {
    auto found = by_call_.find(scope.CallKey(value));
    if (found == by_call_.end()) GiveUp("fusion made a call of unknown origin");
    const GraphBinding* binding = found->second.front();
    if (found->second.size() > 1) found->second.pop_front();
    return *binding;
  }

  static std::string ItemName(const Names& scope, const Node& item) {
    return scope.Of(item["tuple_value"]).at(static_cast<size_t>(item["index"].Int()));
  }

  // Sets the names of a binding that only arranges values (tuple, item, other name); false for a
  // call.
  static bool NameArrangement(Names& scope, const relax::Binding& binding) {
    const Node& value = binding.value;
    if (relax::IsVariable(value)) {
      scope.SetTuple(binding.variable, scope.Of(value));
    } else if (value.Is(type::kTuple)) {
      std::vector<std::string> fields;
      for (const Node& field : relax::TupleFields(value)) fields.push_back(scope.Argument(field));
      scope.SetTuple(binding.variable, fields);
    } else if (value.Is(type::kTupleGetItem)) {
      scope.Set(binding.variable, ItemName(scope, value));
    } else {
      return false;
    }
    return true;
  }

  // The value name of a kernel's argument; a constant is put among the graph's constants.
  std::string Input(const Names& scope, const Node& argument) {
    if (relax::IsVariable(argument)) return scope.Argument(argument);
    FusedConstant constant{"", TypeOf(relax::ConstantType(argument)), relax::TensorBytes(argument)};
    constant.name = "constant " + HashBytes(constant.type.dtype + constant.bytes);
    const bool known = std::any_of(result_.constants.begin(), result_.constants.end(),
                                   [&](const FusedConstant& c) { return c.name == constant.name; });
    if (!known) result_.constants.push_back(constant);
    return constant.name;
  }

  // Adds what one call contributes to a step: its part of the role, its layer.
  const GraphBinding& AddCall(const Names& scope, const Node& value, FusedStep& step) {
    const GraphBinding& origin = Recognise(scope, value);
    const std::string& role = table_.Find(value["args"].At(0)["name_hint"].Text())->role;
    step.bindings.push_back(origin.name);
    step.calls.push_back(role);
    step.role += (step.role.empty() ? "" : "_") + role;
    const std::string& layer = origin.layer;
    if (!layer.empty() &&
        std::find(step.layers.begin(), step.layers.end(), layer) == step.layers.end())
      step.layers.push_back(layer);
    return origin;
  }

  FusedStep StepOfCall(const Names& scope, const Node& value) {
    FusedStep step;
    step.outputs = names_.Of(AddCall(scope, value, step).variable);
    step.function = table_.Find(value["args"].At(0)["name_hint"].Text())->function;
    for (const Node& argument : relax::TupleFields(value["args"].At(1)))
      step.inputs.push_back(Input(scope, argument));
    step.output_types = TypesOf(value["ty_args"].At(0));
    return step;
  }

  FusedStep StepOfGroup(const Names& scope, const Node& value, const Node& group) {
    FusedStep step;
    relax::FunctionView inner = relax::View(group);
    const std::vector<Node> arguments = value["args"].Items();
    Names within;
    for (size_t i = 0; i < inner.parameters.size(); ++i) {
      if (relax::IsVariable(arguments[i]))
        within.SetTuple(inner.parameters[i], scope.Of(arguments[i]));
      else
        within.Set(inner.parameters[i], scope.Argument(arguments[i]));
    }
    for (const relax::Binding& part : inner.bindings) {
      if (IsCallTir(part.value))
        within.SetTuple(part.variable, names_.Of(AddCall(within, part.value, step).variable));
      else if (!NameArrangement(within, part))
        GiveUp("a fused group holds a " + std::string(part.value.key()));
    }
    if (inner.output.Is(type::kTuple)) {
      for (const Node& field : relax::TupleFields(inner.output))
        step.outputs.push_back(within.Argument(field));
    } else {
      step.outputs = within.Of(inner.output);
    }
    const FuseMemo::Group& kernel = fuse_group_(group);
    step.function = kernel.fused;
    for (int i : kernel.order)
      step.inputs.push_back(Input(scope, arguments.at(static_cast<size_t>(i))));
    step.output_types = TypesOf(group["ret_ty"]);
    return step;
  }

  // `outer`: values of the other half, which become parameters beside the graph's own.
  void FuseHalf(const Half& half, const std::vector<Node>& outer, bool weight_only) {
    if (half.bindings.empty()) return;
    std::map<const void*, Node> by;  // the graph's variables -> this function's
    std::vector<Node> parameters = graph_.parameters, own_parameters;
    parameters.insert(parameters.end(), outer.begin(), outer.end());
    for (const Node& variable : parameters) {
      own_parameters.push_back(Make(global::kVar, names_.Of(variable).at(0), variable["ty"]));
      by[variable.id()] = own_parameters.back();
    }
    std::set<const void*> wanted;
    for (const Node& variable : half.wanted) wanted.insert(variable.id());
    std::vector<relax::Binding> bindings;
    std::map<std::string, Node> callees;
    for (const GraphBinding* binding : half.bindings) {
      Node value = Substitute(binding->value, by);
      Node variable = relax::Variable(binding->name, binding->variable["ty"],
                                      wanted.count(binding->variable.id()) > 0);
      by[binding->variable.id()] = variable;
      bindings.push_back({variable, value});
      if (IsCallTir(value)) {
        Node callee = value["args"].At(0);
        callees[callee["name_hint"].Text()] = callee;
      }
    }
    std::vector<Node> outputs;
    for (const Node& variable : half.wanted) outputs.push_back(by.at(variable.id()));
    Node output = outputs.size() == 1 ? outputs[0] : Make(global::kTuple, Node(outputs));
    Node main = relax::Function(own_parameters, bindings, output);
    std::vector<std::pair<Node, Node>> functions = {
        {relax::GlobalVariable("main", main), WithAttribute(main, "global_symbol", "main")}};
    for (const auto& [name, callee] : callees)
      functions.emplace_back(callee, table_.Find(name)->function);

    Node fused = relax::FuseOps(relax::Module(functions));
    relax::FunctionView view = relax::View(FunctionOf(fused, "main"));
    Names scope;
    for (size_t i = 0; i < view.parameters.size(); ++i)
      scope.SetTuple(view.parameters[i], names_.Of(parameters.at(i)));
    for (const relax::Binding& binding : view.bindings) {
      if (NameArrangement(scope, binding)) continue;
      const std::string op = relax::OperatorOf(binding.value);
      if (!IsCallTir(binding.value) && !op.starts_with("@"))
        GiveUp("fusion left a " + std::string(binding.value.key()));
      FusedStep step = IsCallTir(binding.value)
                           ? StepOfCall(scope, binding.value)
                           : StepOfGroup(scope, binding.value, FunctionOf(fused, op.substr(1)));
      step.weight_only = weight_only;
      scope.SetTuple(binding.variable, step.outputs);
      result_.steps.push_back(std::move(step));
    }
  }

  const Graph& graph_;
  const FunctionTable& table_;
  const FuseGroup fuse_group_;
  Names names_;  // of the graph's own variables
  std::map<std::string, std::deque<const GraphBinding*>> by_call_;
  Half halves_[2];  // weight-only, then the rest
  FusedGraph result_;
};

}  // namespace

const FuseMemo::Group& FuseMemo::FuseGroup(const Node& group, const FunctionTable& table) {
  const uint64_t hash = StructuralHash(group);
  for (const Group& known : groups_[hash])
    if (StructuralEqual(known.function, group)) return known;
  relax::FunctionView view = relax::View(group);
  std::vector<std::pair<Node, Node>> functions;
  std::set<std::string> seen;
  for (const relax::Binding& binding : view.bindings) {
    if (!IsCallTir(binding.value)) continue;
    Node callee = binding.value["args"].At(0);
    const std::string name = callee["name_hint"].Text();
    if (seen.insert(name).second) functions.emplace_back(callee, table.Find(name)->function);
  }
  Node callee = relax::GlobalVariable("group", group);
  functions.emplace_back(callee, group);
  std::vector<Node> parameters;
  for (size_t i = 0; i < view.parameters.size(); ++i)
    parameters.push_back(
        Call(global::kVar, "p" + std::to_string(i), view.parameters[i]["ty"], Node()));
  Node out_type = group["ret_ty"];
  Node out = relax::Variable("out", out_type, true);
  Node main =
      relax::Function(parameters, {{out, relax::CallFunction(callee, parameters, out_type)}}, out);
  functions.emplace_back(relax::GlobalVariable("main", main),
                         WithAttribute(main, "global_symbol", "main"));
  Node fused = relax::FuseTir(relax::Module(functions));
  relax::FunctionView after = relax::View(FunctionOf(fused, "main"));
  Group result;
  result.function = group;
  for (const relax::Binding& binding : after.bindings) {
    if (!IsCallTir(binding.value)) continue;
    if (result.fused) GiveUp("a group became more than one kernel");
    result.fused = WithoutAttribute(
        FunctionOf(fused, binding.value["args"].At(0)["name_hint"].Text()), "global_symbol");
    for (const Node& argument : relax::TupleFields(binding.value["args"].At(1))) {
      auto at = std::find_if(after.parameters.begin(), after.parameters.end(),
                             [&](const Node& p) { return p.Same(argument); });
      if (at == after.parameters.end())
        GiveUp("a fused kernel takes an argument of unknown origin");
      result.order.push_back(static_cast<int>(at - after.parameters.begin()));
    }
  }
  if (!result.fused) GiveUp("a group became no kernel");
  groups_[hash].push_back(std::move(result));
  return groups_[hash].back();
}

Result<FusedGraph> FuseMemo::Fuse(const Graph& graph, const FunctionTable& table) {
  return Guard("fusion", [&] {
    return Fuser(graph, table,
                 [&](const Node& group) -> const Group& { return FuseGroup(group, table); })
        .Run();
  });
}

}  // namespace mutatenn
