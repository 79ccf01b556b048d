// Graphs from Relax and back. Variables are replaced when their types are inferred again, so every
// pass here walks the bindings once with a table from old to new variables.
#include "compile/graph.h"

#include <map>
#include <set>

#include "base/hash.h"
#include "tvm/relax.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// Rebuilds bindings in order; gives every variable its successor.
class Rebuilder {
 public:
  explicit Rebuilder(const Graph& graph) : graph_(graph) {
    result_.parameters = graph.parameters;
    result_.num_inputs = graph.num_inputs;
    for (const GraphBinding& binding : graph.bindings) taken_.insert(binding.name);
    for (const Node& variable : relax::VariablesOf(graph.output)) outputs_.insert(variable.id());
  }

  // The expression with old variables replaced, nested calls bound, and its own type inferred.
  Node Typed(const Node& expression, const GraphBinding& owner) {
    return typer_.Normalize(Flat(expression, owner));
  }

  void Bind(const GraphBinding& old, const Node& value) {
    GraphBinding binding = old;
    binding.value = value;
    binding.variable =
        relax::Variable(old.name, value["ty"], outputs_.count(old.variable.id()) > 0);
    successor_[old.variable.id()] = binding.variable;
    result_.bindings.push_back(std::move(binding));
  }

  // Binds a new intermediate value that belongs to the owner's layer.
  Node BindNew(const Node& expression, const GraphBinding& owner) {
    GraphBinding binding = owner;
    binding.synthetic = true;
    binding.value = typer_.Normalize(expression);
    for (int n = 1;; ++n) {
      binding.name = owner.name + "~" + std::to_string(n);
      if (taken_.insert(binding.name).second) break;
    }
    binding.variable = relax::Variable(binding.name, binding.value["ty"], false);
    result_.bindings.push_back(binding);
    return binding.variable;
  }

  Node Successor(const Node& variable) const {
    auto found = successor_.find(variable.id());
    return found == successor_.end() ? variable : found->second;
  }
  void Replace(const Node& old_variable, const Node& by) { successor_[old_variable.id()] = by; }

  Graph Finish() {
    result_.output = Substituted(graph_.output);
    DropUnused();
    return std::move(result_);
  }

 private:
  Node Substituted(const Node& expression) {
    if (relax::IsVariable(expression)) return Successor(expression);
    if (!expression.Is(type::kTuple)) return expression;
    std::vector<Node> fields;
    for (const Node& field : relax::TupleFields(expression)) fields.push_back(Substituted(field));
    return Make(global::kTuple, Node(fields));
  }

  Node Flat(const Node& expression, const GraphBinding& owner) {
    if (relax::IsVariable(expression)) return Successor(expression);
    if (expression.Is(type::kTupleGetItem))
      return Make(global::kTupleGetItem, Leaf(expression["tuple_value"], owner),
                  expression["index"]);
    if (expression.Is(type::kTuple)) {
      std::vector<Node> fields;
      for (const Node& field : relax::TupleFields(expression)) fields.push_back(Leaf(field, owner));
      return Make(global::kTuple, Node(fields));
    }
    if (!expression.Is(type::kCall)) return expression;
    std::vector<Node> arguments;
    for (const Node& argument : expression["args"].Items())
      arguments.push_back(Leaf(argument, owner));
    // Without its old type, so that it is inferred from the new arguments.
    return Make(global::kCall, relax::MissingType(), expression["op"], Node(arguments),
                expression["attrs"], expression["ty_args"]);
  }

  Node Leaf(const Node& argument, const GraphBinding& owner) {
    Node flat = Flat(argument, owner);
    return flat.Is(type::kCall) || flat.Is(type::kTupleGetItem) ? BindNew(flat, owner) : flat;
  }

  void DropUnused() {
    std::set<const void*> used;
    auto use = [&](const Node& expression) {
      for (const Node& variable : relax::VariablesOf(expression)) used.insert(variable.id());
    };
    use(result_.output);
    std::vector<GraphBinding> kept;
    for (auto it = result_.bindings.rbegin(); it != result_.bindings.rend(); ++it) {
      if (!used.count(it->variable.id())) continue;
      use(it->value);
      kept.push_back(std::move(*it));
    }
    result_.bindings.assign(std::make_move_iterator(kept.rbegin()),
                            std::make_move_iterator(kept.rend()));
  }

  const Graph& graph_;
  Graph result_;
  relax::Typer typer_;
  std::map<const void*, Node> successor_;
  std::set<const void*> outputs_;
  std::set<std::string> taken_;
};

double NumberAttribute(const Node& call, const char* name) { return call["attrs"][name].Float(); }

}  // namespace

Result<Graph> GraphFromImport(const ImportedModel& model, FunctionTable& table) {
  return Guard("reading the imported model", [&] {
    Node module = FromJsonText(model.module_json);
    relax::FunctionView view = relax::View(FunctionOf(module, "main"));
    Graph graph;
    graph.parameters = view.parameters;
    graph.num_inputs = model.num_inputs;
    graph.output = view.output;
    if (view.bindings.size() != model.bindings.size())
      GiveUp("the front end described " + std::to_string(model.bindings.size()) + " bindings of " +
             std::to_string(view.bindings.size()));
    std::set<std::string> named;
    std::map<std::string, int> counts;
    for (size_t i = 0; i < view.bindings.size(); ++i) {
      const ImportedBinding& origin = model.bindings[i];
      GraphBinding binding;
      binding.variable = view.bindings[i].variable;
      binding.value = view.bindings[i].value;
      if (relax::OperatorOf(binding.value) == "relax.call_tir") {
        const std::string callee = binding.value["args"].At(0)["name_hint"].Text();
        const Node kernel = relax::AnnotatePattern(FunctionOf(module, callee));
        binding.value = relax::CallTir(table.Add(kernel, callee).variable,
                                       relax::TupleFields(binding.value["args"].At(1)),
                                       binding.value["ty_args"].At(0));
      }
      binding.synthetic = origin.synthetic;
      if (origin.layer >= 0) binding.layer = model.layers.at(origin.layer).name;
      const std::string base = binding.layer.empty() ? "value" : binding.layer;
      // One name may be missing a main binding (all synthetic) or have several; names stay unique.
      if (!origin.synthetic && named.insert(base).second) {
        binding.name = base;
      } else {
        do binding.name = base + "#" + std::to_string(++counts[base]);
        while (!named.insert(binding.name).second);
      }
      graph.bindings.push_back(std::move(binding));
    }
    return graph;
  });
}

Result<Graph> Rebuild(const Graph& graph) {
  return Guard("", [&] {
    Rebuilder rebuilder(graph);
    for (const GraphBinding& binding : graph.bindings) {
      // A binding that only renames a variable gives way to it.
      if (relax::IsVariable(binding.value)) {
        rebuilder.Replace(binding.variable, rebuilder.Successor(binding.value));
        continue;
      }
      rebuilder.Bind(binding, rebuilder.Typed(binding.value, binding));
    }
    return rebuilder.Finish();
  });
}

Result<Graph> LowerBatchNorm(const Graph& graph) {
  return Guard("batch norm", [&] {
    Rebuilder rebuilder(graph);
    std::map<const void*, size_t> norms;  // variable of a batch_norm -> its binding
    for (size_t i = 0; i < graph.bindings.size(); ++i)
      if (relax::OperatorOf(graph.bindings[i].value) == "relax.nn.batch_norm")
        norms[graph.bindings[i].variable.id()] = i;
    for (const GraphBinding& binding : graph.bindings) {
      if (norms.count(binding.variable.id())) continue;
      const bool item = binding.value.Is(type::kTupleGetItem);
      auto norm = item ? norms.find(binding.value["tuple_value"].id()) : norms.end();
      if (norm == norms.end()) {
        rebuilder.Bind(binding, rebuilder.Typed(binding.value, binding));
        continue;
      }
      if (binding.value["index"].Int() != 0)
        GiveUp("layer '" + binding.layer + "': running mean and variance are used as outputs");
      const GraphBinding& owner = graph.bindings[norm->second];
      std::vector<Node> arguments;
      for (const Node& argument : owner.value["args"].Items())
        arguments.push_back(rebuilder.Successor(argument));
      const Node &x = arguments[0], &gamma = arguments[1], &beta = arguments[2],
                 &mean = arguments[3], &variance = arguments[4];
      const bool center = owner.value["attrs"]["center"].Int() != 0;
      const bool scale = owner.value["attrs"]["scale"].Int() != 0;
      const size_t rank = relax::TensorsOf(x["ty"])[0].shape.size();
      int64_t axis = owner.value["attrs"]["axis"].Int();
      if (axis < 0) axis += static_cast<int64_t>(rank);
      Node epsilon = relax::ScalarConstant("float32", NumberAttribute(owner.value, "epsilon"));
      auto bind = [&](const Node& expression) { return rebuilder.BindNew(expression, owner); };
      Node deviation =
          bind(Call(global::kRelaxSqrt, bind(Call(global::kRelaxAdd, variance, epsilon))));
      Node s = bind(Call(global::kRelaxDivide,
                         scale ? gamma : relax::ScalarConstant("float32", 1.0), deviation));
      Node shifted = bind(Call(global::kRelaxMultiply, mean, s));
      Node t = bind(Call(global::kRelaxSubtract,
                         center ? beta : relax::ScalarConstant("float32", 0.0), shifted));
      std::vector<Node> others;
      for (size_t i = 0; i < rank; ++i)
        if (static_cast<int64_t>(i) != axis) others.push_back(Node(static_cast<int64_t>(i)));
      Node wide_s = bind(Call(global::kRelaxExpandDims, s, Node(others)));
      Node wide_t = bind(Call(global::kRelaxExpandDims, t, Node(others)));
      Node scaled = bind(Call(global::kRelaxMultiply, x, wide_s));
      GraphBinding result = binding;
      result.name = owner.name;  // the layer's value under the layer's name
      rebuilder.Bind(result, rebuilder.Typed(Call(global::kRelaxAdd, scaled, wide_t), result));
    }
    return rebuilder.Finish();
  });
}

Result<Node> ToFunction(const Graph& graph) {
  return Guard("building the graph's function", [&] {
    std::vector<relax::Binding> bindings;
    for (const GraphBinding& binding : graph.bindings)
      bindings.push_back({binding.variable, binding.value});
    return relax::Function(graph.parameters, bindings, graph.output);
  });
}

std::string GraphHash(const Graph& graph) {
  auto function = ToFunction(graph);
  CHECK(function.ok(), function.error().message);
  return HashBytes(std::to_string(StructuralHash(*function)));
}

Result<std::string> PrintGraph(const Graph& graph) {
  Node function = TRY(ToFunction(graph));
  return Guard("printing the graph", [&] { return Script(function); });
}

}  // namespace mutatenn
