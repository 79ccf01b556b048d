// One question per distinct operator call: a function of its argument types whose body is the call.
// The answer is that function legalised; its bindings are copied into the graph with arguments
// replaced.
#include "compile/legalize.h"

#include <cctype>

#include "base/hash.h"
#include "tvm/relax.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

bool IsOperatorCall(const Node& value) {
  const std::string op = relax::OperatorOf(value);
  return op.starts_with("relax.") && op != "relax.call_tir";
}

// Arguments of a call in order, tuples opened.
void Flatten(const Node& argument, std::vector<Node>& into) {
  if (argument.Is(type::kTuple)) {
    for (const Node& field : relax::TupleFields(argument)) Flatten(field, into);
  } else {
    into.push_back(argument);
  }
}

// The same argument with variables replaced in order of occurrence.
Node Refill(const Node& argument, const std::map<const void*, Node>& by) {
  if (argument.Is(type::kTuple)) {
    std::vector<Node> fields;
    for (const Node& field : relax::TupleFields(argument)) fields.push_back(Refill(field, by));
    return Make(global::kTuple, Node(fields));
  }
  auto found = by.find(argument.id());
  return found == by.end() ? argument : found->second;
}

struct Question {
  Node function;
  std::vector<Node> variables;  // of the call, in the order of the function's parameters
};

Question Ask(const Node& value) {
  Question question;
  std::map<const void*, Node> parameters;
  std::vector<Node> order, leaves;
  for (const Node& argument : value["args"].Items()) Flatten(argument, leaves);
  for (const Node& leaf : leaves) {
    // A weight that a mutant changed is one constant or another: the answer is the same.
    const bool weight = relax::IsConstant(leaf) && !relax::ConstantType(leaf).shape.empty();
    if (!(relax::IsVariable(leaf) || weight) || parameters.count(leaf.id())) continue;
    Node parameter = Call(global::kVar, "p" + std::to_string(order.size()), leaf["ty"], Node());
    parameters[leaf.id()] = parameter;
    order.push_back(parameter);
    question.variables.push_back(leaf);
  }
  std::vector<Node> arguments;
  for (const Node& argument : value["args"].Items())
    arguments.push_back(Refill(argument, parameters));
  Node call = WithFields(value, {{"args", Node(arguments)}});
  Node out = relax::Variable("out", value["ty"], true);
  question.function = relax::Function(order, {{out, call}}, out);
  return question;
}

// "conv2d12" -> "conv2d": what a function computes, without the number that made its name unique.
std::string Role(std::string name) {
  size_t end = name.size();
  while (end > 0 && std::isdigit(static_cast<unsigned char>(name[end - 1]))) --end;
  return end == 0 ? name : name.substr(0, end);
}

// Of the i-th question in a module of many.
std::string NameOf(size_t i) { return i == 0 ? "main" : "main" + std::to_string(i); }

std::map<std::string, Node> FunctionsByName(const Node& module) {
  const auto functions = relax::Functions(module);
  return {functions.begin(), functions.end()};
}

}  // namespace

const FunctionTable::Entry& FunctionTable::Add(const Node& function, const std::string& role) {
  Node plain = WithoutAttribute(function, "global_symbol");
  const uint64_t hash = StructuralHash(plain);
  for (const std::string& name : by_hash_[hash])
    if (StructuralEqual(by_name_.at(name).function, plain)) return by_name_.at(name);
  const std::string name = role + "_" + std::to_string(by_name_.size());
  Entry entry{relax::GlobalVariable(name, plain), plain, role};
  by_hash_[hash].push_back(name);
  return by_name_.emplace(name, std::move(entry)).first->second;
}

const FunctionTable::Entry* FunctionTable::Find(const std::string& name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

const LegalizeMemo::Entry* LegalizeMemo::Find(const Node& question) const {
  auto found = entries_.find(StructuralHash(question));
  if (found == entries_.end()) return nullptr;
  for (const Entry& entry : found->second)
    if (StructuralEqual(entry.question, question)) return &entry;
  return nullptr;
}

Result<std::vector<Node>> LegalizeMemo::Missing(const Graph& graph) const {
  return Guard("legalisation", [&] {
    std::vector<Node> missing;
    std::map<uint64_t, bool> asked;
    for (const GraphBinding& binding : graph.bindings) {
      if (!IsOperatorCall(binding.value)) continue;
      Node question = Ask(binding.value).function;
      if (Find(question) == nullptr && asked.emplace(StructuralHash(question), true).second)
        missing.push_back(question);
    }
    return missing;
  });
}

Result<std::string> LegalizeMemo::Pack(const std::vector<Node>& missing) {
  return Guard("legalisation", [&] {
    std::vector<std::pair<Node, Node>> functions;
    for (size_t i = 0; i < missing.size(); ++i) {
      const std::string name = NameOf(i);
      functions.emplace_back(relax::GlobalVariable(name, missing[i]),
                             WithAttribute(missing[i], "global_symbol", name));
    }
    return ToJsonText(relax::Module(functions));
  });
}

Result<std::vector<Node>> LegalizeMemo::Unpack(const std::string& text) {
  return Guard("legalisation", [&] {
    std::vector<Node> functions;
    const std::map<std::string, Node> by_name = FunctionsByName(FromJsonText(text));
    for (size_t i = 0;; ++i) {
      const auto found = by_name.find(NameOf(i));
      if (found == by_name.end()) return functions;
      functions.push_back(WithoutAttribute(found->second, "global_symbol"));
    }
  });
}

Status LegalizeMemo::Fetch(const std::vector<Node>& missing, Frontend& frontend) {
  if (missing.empty()) return Ok();
  const std::string answer = TRY(frontend.Legalize(TRY(Pack(missing))));
  TRY(Guard("legalisation", [&] {
    const std::map<std::string, Node> by_name = FunctionsByName(FromJsonText(answer));
    std::map<std::string, Node> prim_funcs;
    for (const auto& [name, function] : by_name)
      if (function.Is(type::kPrimFunc)) prim_funcs[name] = function;
    for (size_t i = 0; i < missing.size(); ++i) {
      const auto found = by_name.find(NameOf(i));
      if (found == by_name.end()) GiveUp("the front end left a function out");
      const Node& function = found->second;
      for (const relax::Binding& binding : relax::View(function).bindings)
        if (IsOperatorCall(binding.value))
          GiveUp("TVM has no legalisation for " + relax::OperatorOf(binding.value));
      entries_[StructuralHash(missing[i])].push_back({missing[i], function, prim_funcs});
    }
    return Unit{};
  }));
  return Ok();
}

Result<Graph> LegalizeMemo::Apply(const Graph& graph, FunctionTable& table) const {
  return Guard("legalisation", [&] {
    Graph result = graph;
    result.bindings.clear();
    for (const GraphBinding& binding : graph.bindings) {
      if (!IsOperatorCall(binding.value)) {
        result.bindings.push_back(binding);
        continue;
      }
      Question question = Ask(binding.value);
      const Entry* entry = Find(question.function);
      if (entry == nullptr) GiveUp("an operator was not legalised beforehand");
      relax::FunctionView view = relax::View(entry->function);
      std::map<const void*, Node> by;  // the answer's variables -> the graph's
      for (size_t i = 0; i < view.parameters.size(); ++i)
        by[view.parameters[i].id()] = question.variables[i];
      const void* out = view.output.id();
      // The answer may end by renaming its last value.
      for (const relax::Binding& inner : view.bindings)
        if (inner.variable.id() == out && relax::IsVariable(inner.value)) out = inner.value.id();
      int extra = 0;
      for (const relax::Binding& inner : view.bindings) {
        if (relax::IsVariable(inner.value)) {
          by[inner.variable.id()] = by.at(inner.value.id());
          continue;
        }
        GraphBinding made = binding;
        const bool last = inner.variable.id() == out;
        if (!last) {
          made.name = binding.name + "." + std::to_string(++extra);
          made.synthetic = true;
          made.variable = relax::Variable(made.name, inner.variable["ty"], false);
        }
        if (relax::OperatorOf(inner.value) == "relax.call_tir") {
          const std::string callee = inner.value["args"].At(0)["name_hint"].Text();
          const Node& prim_func = entry->prim_funcs.at(callee);
          const FunctionTable::Entry& function =
              table.Add(relax::AnnotatePattern(prim_func), Role(callee));
          std::vector<Node> arguments;
          for (const Node& argument : relax::TupleFields(inner.value["args"].At(1)))
            arguments.push_back(Refill(argument, by));
          made.value = relax::CallTir(function.variable, arguments, inner.value["ty_args"].At(0));
        } else if (inner.value.Is(type::kTupleGetItem)) {
          made.value = Make(global::kTupleGetItem, Refill(inner.value["tuple_value"], by),
                            inner.value["index"]);
        } else if (inner.value.Is(type::kTuple)) {
          made.value = Refill(inner.value, by);
        } else {
          GiveUp("a legalised operator holds a " + std::string(inner.value.key()));
        }
        by[inner.variable.id()] = made.variable;
        result.bindings.push_back(std::move(made));
      }
    }
    return result;
  });
}

}  // namespace mutatenn
