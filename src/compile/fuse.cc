// FuseOps renames what it moves, so names are found again by dataflow: a call of a PrimFunc on
// values of known names is the binding of the legalised graph that makes the same call.
#include "compile/fuse.h"

#include <algorithm>
#include <deque>
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
    bool only = true;
    std::function<void(const Node&)> look = [&](const Node& node) {
      if (relax::IsVariable(node)) {
        only = only && weights.count(node.id()) > 0;
      } else if (node.Is(type::kTuple)) {
        for (const Node& field : relax::TupleFields(node)) look(field);
      } else if (node.Is(type::kTupleGetItem)) {
        look(node["tuple_value"]);
      } else if (IsCallTir(node)) {
        look(node["args"].At(1));
      }
    };
    look(binding.value);
    if (only) weights.insert(binding.variable.id());
  }
  return weights;
}

void CollectVariables(const Node& node, std::vector<Node>& into) {
  if (relax::IsVariable(node)) into.push_back(node);
  if (node.Is(type::kTuple))
    for (const Node& field : relax::TupleFields(node)) CollectVariables(field, into);
  if (node.Is(type::kTupleGetItem)) CollectVariables(node["tuple_value"], into);
  if (IsCallTir(node)) CollectVariables(node["args"].At(1), into);
}

// One of the two halves (weight-only or not) as a function whose outputs are `wanted`.
struct Half {
  std::vector<GraphBinding> bindings;
  std::vector<Node> wanted;  // variables used outside
};

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
    const std::set<const void*> weights = WeightOnly(graph);
    std::set<const void*> parameters;
    for (const Node& parameter : graph.parameters) parameters.insert(parameter.id());

    Half halves[2];  // weight-only, then the rest
    std::vector<Node> outside;
    CollectVariables(graph.output, outside);
    for (const GraphBinding& binding : graph.bindings) {
      const bool only = weights.count(binding.variable.id()) > 0;
      halves[only ? 0 : 1].bindings.push_back(binding);
      if (!only) CollectVariables(binding.value, outside);
    }
    std::set<const void*> once;
    for (const Node& variable : outside)
      if (weights.count(variable.id()) && !parameters.count(variable.id()) &&
          once.insert(variable.id()).second)
        halves[0].wanted.push_back(variable);
    std::vector<Node> outputs;
    CollectVariables(graph.output, outputs);
    for (const Node& output : outputs)
      if (!weights.count(output.id()) && !parameters.count(output.id()))
        halves[1].wanted.push_back(output);

    Names names;
    std::map<std::string, std::deque<const GraphBinding*>> by_call;
    std::map<std::string, std::string> layer_of;  // value name -> layer
    FusedGraph result;
    std::map<std::string, bool> constants;
    for (const Node& parameter : graph.parameters) names.Set(parameter, parameter["name"].Text());
    for (const GraphBinding& binding : graph.bindings) {
      layer_of[binding.name] = binding.layer;
      std::vector<std::string> fields = {binding.name};
      if (binding.value.Is(type::kTuple)) {
        fields.clear();
        for (const Node& field : relax::TupleFields(binding.value))
          fields.push_back(names.Argument(field));
      } else if (binding.value.Is(type::kTupleGetItem)) {
        fields = {names.Of(binding.value["tuple_value"]).at(binding.value["index"].Int())};
        layer_of.emplace(fields[0], binding.layer);
      } else if (relax::IsTuple(binding.variable["ty"])) {
        fields.clear();
        for (size_t i = 0; i < relax::TensorsOf(binding.variable["ty"]).size(); ++i) {
          fields.push_back(binding.name + "." + std::to_string(i));
          layer_of[fields.back()] = binding.layer;
        }
      }
      names.SetTuple(binding.variable, fields);
      if (IsCallTir(binding.value)) by_call[names.CallKey(binding.value)].push_back(&binding);
    }
    // The names of a call of a PrimFunc, by what it calls on what.
    auto recognise = [&](const Names& scope, const Node& value) -> const GraphBinding& {
      auto found = by_call.find(scope.CallKey(value));
      if (found == by_call.end() || found->second.empty())
        GiveUp("fusion made a call of unknown origin");
      const GraphBinding* binding = found->second.front();
      if (found->second.size() > 1) found->second.pop_front();
      return *binding;
    };
    auto input_name = [&](const Names& scope, const Node& argument) {
      const std::string name = scope.Argument(argument);
      if (relax::IsVariable(argument)) return name;
      const std::string bytes = relax::TensorBytes(argument);
      TensorType type = TypeOf(relax::ConstantType(argument));
      const std::string constant = "constant " + HashBytes(type.dtype + bytes);
      if (constants.emplace(constant, true).second)
        result.constants.push_back({constant, type, bytes});
      return constant;
    };
    auto add_layer = [](FusedStep& step, const std::string& layer) {
      if (!layer.empty() &&
          std::find(step.layers.begin(), step.layers.end(), layer) == step.layers.end())
        step.layers.push_back(layer);
    };

    for (int h = 0; h < 2; ++h) {
      Half& half = halves[h];
      if (half.bindings.empty()) continue;
      // A function of its own: outputs become plain variables, values of the other half parameters.
      std::map<const void*, Node> by;
      std::vector<Node> own_parameters;
      std::vector<relax::Binding> bindings;
      Names scope;
      auto parameter = [&](const Node& variable) {
        if (by.count(variable.id())) return;
        Node made = Call(global::kVar, names.Of(variable).at(0), variable["ty"], Node());
        scope.SetTuple(made, names.Of(variable));
        by[variable.id()] = made;
        own_parameters.push_back(made);
      };
      for (const Node& p : graph.parameters) parameter(p);
      if (h == 1)
        for (const Node& variable : halves[0].wanted) parameter(variable);
      std::set<const void*> wanted;
      for (const Node& variable : half.wanted) wanted.insert(variable.id());
      for (const GraphBinding& binding : half.bindings) {
        Node value = Substitute(binding.value, by);
        Node variable = relax::Variable(binding.name, binding.variable["ty"],
                                        wanted.count(binding.variable.id()) > 0);
        by[binding.variable.id()] = variable;
        bindings.push_back({variable, value});
      }
      std::vector<Node> wanted_now;
      for (const Node& variable : half.wanted) wanted_now.push_back(by.at(variable.id()));
      Node output = wanted_now.size() == 1 ? wanted_now[0] : Make(global::kTuple, Node(wanted_now));
      Node main = relax::Function(own_parameters, bindings, output);
      std::vector<std::pair<Node, Node>> functions = {
          {relax::GlobalVariable("main", main), WithAttribute(main, "global_symbol", "main")}};
      std::set<std::string> seen;
      for (const GraphBinding& binding : half.bindings) {
        if (!IsCallTir(binding.value)) continue;
        Node callee = binding.value["args"].At(0);
        const std::string name = callee["name_hint"].Text();
        if (seen.insert(name).second) functions.emplace_back(callee, table.Find(name)->function);
      }
      Node fused = relax::FuseOps(relax::Module(functions));
      relax::FunctionView view = relax::View(FunctionOf(fused, "main"));
      for (size_t i = 0; i < view.parameters.size(); ++i)
        scope.SetTuple(view.parameters[i], scope.Of(own_parameters.at(i)));

      for (const relax::Binding& binding : view.bindings) {
        const Node& value = binding.value;
        if (relax::IsVariable(value)) {
          scope.SetTuple(binding.variable, scope.Of(value));
        } else if (value.Is(type::kTuple)) {
          std::vector<std::string> fields;
          for (const Node& field : relax::TupleFields(value))
            fields.push_back(scope.Argument(field));
          scope.SetTuple(binding.variable, fields);
        } else if (value.Is(type::kTupleGetItem)) {
          scope.Set(binding.variable, scope.Of(value["tuple_value"]).at(value["index"].Int()));
        } else if (IsCallTir(value)) {
          const GraphBinding& origin = recognise(scope, value);
          FusedStep step;
          step.weight_only = h == 0;
          const FunctionTable::Entry* entry = table.Find(value["args"].At(0)["name_hint"].Text());
          step.function = entry->function;
          step.role = entry->role;
          for (const Node& argument : relax::TupleFields(value["args"].At(1)))
            step.inputs.push_back(input_name(scope, argument));
          step.outputs = names.Of(origin.variable);
          step.output_types = TypesOf(value["ty_args"].At(0));
          add_layer(step, origin.layer);
          scope.SetTuple(binding.variable, step.outputs);
          result.steps.push_back(std::move(step));
        } else if (relax::OperatorOf(value).starts_with("@")) {
          Node group = FunctionOf(fused, relax::OperatorOf(value).substr(1));
          relax::FunctionView inner = relax::View(group);
          const std::vector<Node> arguments = value["args"].Items();
          Names within;
          for (size_t i = 0; i < inner.parameters.size(); ++i) {
            if (relax::IsVariable(arguments[i]))
              within.SetTuple(inner.parameters[i], scope.Of(arguments[i]));
            else
              within.Set(inner.parameters[i], scope.Argument(arguments[i]));
          }
          FusedStep step;
          step.weight_only = h == 0;
          for (const relax::Binding& part : inner.bindings) {
            if (IsCallTir(part.value)) {
              const GraphBinding& origin = recognise(within, part.value);
              within.SetTuple(part.variable, names.Of(origin.variable));
              const std::string& role =
                  table.Find(part.value["args"].At(0)["name_hint"].Text())->role;
              step.role += (step.role.empty() ? "" : "_") + role;
              add_layer(step, origin.layer);
            } else if (part.value.Is(type::kTuple)) {
              std::vector<std::string> fields;
              for (const Node& field : relax::TupleFields(part.value))
                fields.push_back(within.Argument(field));
              within.SetTuple(part.variable, fields);
            } else if (part.value.Is(type::kTupleGetItem)) {
              within.Set(part.variable,
                         within.Of(part.value["tuple_value"]).at(part.value["index"].Int()));
            } else if (relax::IsVariable(part.value)) {
              within.SetTuple(part.variable, within.Of(part.value));
            } else {
              GiveUp("a fused group holds a " + std::string(part.value.key()));
            }
          }
          if (inner.output.Is(type::kTuple)) {
            for (const Node& field : relax::TupleFields(inner.output))
              step.outputs.push_back(within.Argument(field));
          } else {
            step.outputs = within.Of(inner.output);
          }
          const Group& kernel = FuseGroup(group, table);
          step.function = kernel.fused;
          for (int i : kernel.order) step.inputs.push_back(input_name(scope, arguments.at(i)));
          step.output_types = TypesOf(group["ret_ty"]);
          scope.SetTuple(binding.variable, step.outputs);
          result.steps.push_back(std::move(step));
        } else {
          GiveUp("fusion left a " + std::string(value.key()));
        }
      }
    }
    for (const Node& output : outputs) result.outputs.push_back(names.Of(output).at(0));
    return result;
  });
}

}  // namespace mutatenn
