// Modules go to the front end as JSON and come back as JSON, where every variable is another
// object: they are found again by name, which is unique in a graph.
#include "compile/user_operators.h"

#include <set>

#include "compile/graph.h"
#include "tvm/relax.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

Result<std::string> ModuleJson(const Node& function) {
  return Guard("writing a module", [&] { return ToJsonText(MakeModule({{"main", function}})); });
}

Result<Node> MainOf(const std::string& json) {
  return Guard("reading the user's module", [&] {
    Node main = FunctionOf(FromJsonText(json), "main");
    if (!main) GiveUp("it has no function main");
    return main;
  });
}

std::string NameOf(const Node& variable) { return variable["name"].Text(); }

// The changed expression over the original's variables. Bindings that are new are put in where they
// are used.
class Adoption {
 public:
  Adoption(const Graph& graph, const relax::FunctionView& mutated) {
    for (const Node& parameter : graph.parameters) known_[NameOf(parameter)] = parameter;
    for (const GraphBinding& binding : graph.bindings)
      known_[NameOf(binding.variable)] = binding.variable;
    for (const relax::Binding& binding : mutated.bindings)
      values_[NameOf(binding.variable)] = binding.value;
  }

  Node ValueOf(const std::string& name) {
    const auto value = values_.find(name);
    if (value == values_.end()) GiveUp("the user's module has no variable '" + name + "'");
    return Adopt(value->second);
  }

 private:
  Node Adopt(const Node& expression) {
    if (relax::IsVariable(expression)) {
      const auto known = known_.find(NameOf(expression));
      return known != known_.end() ? known->second : ValueOf(NameOf(expression));
    }
    if (expression.Is(type::kTuple)) {
      std::vector<Node> fields;
      for (const Node& field : relax::TupleFields(expression)) fields.push_back(Adopt(field));
      return Make(global::kTuple, Node(fields));
    }
    if (expression.Is(type::kTupleGetItem))
      return Make(global::kTupleGetItem, Adopt(expression["tuple_value"]), expression["index"]);
    if (!expression.Is(type::kCall)) return expression;
    std::vector<Node> arguments;
    for (const Node& argument : expression["args"].Items()) arguments.push_back(Adopt(argument));
    return Make(global::kCall, relax::MissingType(), expression["op"], Node(arguments),
                expression["attrs"], expression["ty_args"]);
  }

  std::map<std::string, Node> known_, values_;
};

// The name that a graph point is at is its block: the layer alone may have several bindings.
Result<Graph> MutatedGraph(const Graph& graph, const std::string& json,
                           const std::vector<MutationPoint>& points) {
  const Node main = TRY(MainOf(json));
  auto adopted = Guard("taking over the user's module", [&]() -> Graph {
    Adoption adoption(graph, relax::View(main));
    std::set<std::string> wanted;
    for (const MutationPoint& point : points) wanted.insert(point.block);
    Graph mutated = graph;
    for (GraphBinding& binding : mutated.bindings) {
      const std::string name = NameOf(binding.variable);
      if (wanted.erase(name)) binding.value = adoption.ValueOf(name);
    }
    if (!wanted.empty()) GiveUp("the graph has no variable '" + *wanted.begin() + "'");
    return mutated;
  });
  return adopted;
}

}  // namespace

Result<Level> UserOperators::Enumerate(Frontend& frontend, const OperatorUse& use,
                                       const Graph& graph,
                                       const std::vector<KernelSubject>& kernels,
                                       std::vector<MutationPoint>* points) {
  const std::string graph_json = TRY(ModuleJson(TRY(ToFunction(graph))));
  auto asked = frontend.FindUserPoints(use.file, {});
  const Frontend::UserPoints level = TRY(std::move(asked));
  std::vector<std::string> modules = {graph_json};
  if (level.level == "code") {
    modules.clear();
    for (const KernelSubject& kernel : kernels) modules.push_back(TRY(ModuleJson(kernel.function)));
  }
  const Frontend::UserPoints found = TRY(frontend.FindUserPoints(use.file, modules));
  std::map<std::string, const GraphBinding*> bindings;
  for (const GraphBinding& binding : graph.bindings) bindings[NameOf(binding.variable)] = &binding;
  int index = 0;
  for (size_t m = 0; m < found.points.size(); ++m) {
    for (size_t n = 0; n < found.points[m].size(); ++n) {
      MutationPoint point;
      point.block = found.points[m][n];
      point.match = static_cast<int>(n);
      point.index = index++;
      if (level.level == "code") {
        point.level = Level::kCode;
        point.kernel = kernels[m].key;
        point.role = kernels[m].role;
        point.layers = kernels[m].layers;
      } else {
        point.level = Level::kGraph;
        const auto binding = bindings.find(point.block);
        if (binding == bindings.end())
          return Fail(Code::kInvalidInput, use.file, ": '", point.block, "' is no variable");
        if (!binding->second->layer.empty()) point.layers = {binding->second->layer};
        point.role = relax::OperatorOf(binding->second->value);
      }
      points->push_back(std::move(point));
    }
  }
  return level.level == "code" ? Level::kCode : Level::kGraph;
}

Result<UserMutation> UserOperators::Apply(Frontend& frontend, const Mutant& mutant,
                                          const Graph& graph,
                                          const std::vector<KernelSubject>& kernels,
                                          const std::map<std::string, Node>& scheduled) {
  UserMutation mutation;
  if (mutant.level == Level::kGraph) {
    std::vector<int> numbers;
    for (const MutationPoint& point : mutant.points) numbers.push_back(point.match);
    const std::string origin = TRY(ModuleJson(TRY(ToFunction(graph))));
    mutation.graph = TRY(
        MutatedGraph(graph, TRY(frontend.ApplyUserPoints(mutant.use.file, origin, origin, numbers)),
                     mutant.points));
    return mutation;
  }
  for (const KernelSubject& kernel : kernels) {
    std::vector<int> numbers;
    for (const MutationPoint& point : mutant.points)
      if (point.kernel == kernel.key) numbers.push_back(point.match);
    if (numbers.empty()) continue;
    const Node& function = scheduled.at(kernel.key);
    const std::string json = TRY(frontend.ApplyUserPoints(
        mutant.use.file, TRY(ModuleJson(kernel.function)), TRY(ModuleJson(function)), numbers));
    // Its attributes stay the compiler's; only the body is the user's.
    const Node main = TRY(MainOf(json));
    if (TRY(Guard("", [&] { return StructuralEqual(main, function); })))
      return Fail(Code::kInvalidInput, mutant.use.file, ": apply changed nothing");
    mutation.kernels[kernel.key] = main;
  }
  return mutation;
}

}  // namespace mutatenn
