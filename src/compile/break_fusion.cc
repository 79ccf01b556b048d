// Each part is a graph of its own: what other parts or steps make are its inputs, what they read of
// it its outputs. Values keep their names; a value that a part hands on has that of its call.
#include "compile/break_fusion.h"

#include <algorithm>
#include <map>
#include <set>

#include "tvm/relax.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

class Parts {
 public:
  Parts(const FusedStep& step, const Graph& legalized) : step_(step), legalized_(legalized) {
    for (const Node& parameter : legalized.parameters)
      name_of_[parameter.id()] = parameter["name"].Text();
    for (const GraphBinding& binding : legalized.bindings) {
      maker_[binding.variable.id()] = &binding;
      name_of_[binding.variable.id()] = binding.name;
      by_name_[binding.name] = &binding;
    }
  }

  // The graph of calls [begin, end) of the step.
  Graph Of(size_t begin, size_t end) const {
    Graph part;
    std::map<const void*, Node> by;  // the graph's variables -> the part's parameters
    std::set<const void*> made;
    for (size_t i = begin; i < end; ++i) {
      GraphBinding binding = *by_name_.at(step_.bindings[i]);
      for (const Node& variable : relax::VariablesOf(binding.value))
        if (!made.count(variable.id())) AddInput(variable, part, by);
      made.insert(binding.variable.id());
      binding.value = relax::Substituted(binding.value, by);
      part.bindings.push_back(std::move(binding));
    }
    part.num_inputs = static_cast<int>(part.parameters.size());  // no part of it is weight-only
    std::vector<Node> outputs;
    for (size_t i = begin; i < end; ++i) {
      const GraphBinding& binding = *by_name_.at(step_.bindings[i]);
      if (!IsReadBehind(binding, end)) continue;
      if (relax::IsTuple(binding.variable["ty"])) GiveUp("a part of a fused step makes a tuple");
      outputs.push_back(binding.variable);
    }
    part.output = outputs.size() == 1 ? outputs[0] : Make(global::kTuple, Node(outputs));
    return part;
  }

 private:
  void AddInput(const Node& variable, Graph& part, std::map<const void*, Node>& by) const {
    if (by.count(variable.id())) return;
    if (relax::IsTuple(variable["ty"])) GiveUp("a part of a fused step takes a tuple");
    // Where a tuple is taken apart, the value has another name than its binding.
    const auto maker = maker_.find(variable.id());
    if (maker != maker_.end() && relax::OperatorOf(maker->second->value) != "relax.call_tir")
      GiveUp("a part of a fused step takes a part of a tuple");
    Node parameter = relax::Variable(name_of_.at(variable.id()), variable["ty"], true);
    by[variable.id()] = parameter;
    part.parameters.push_back(std::move(parameter));
  }

  // Whether the step gives the value away, or a later call of it reads the value.
  bool IsReadBehind(const GraphBinding& made, size_t end) const {
    const auto& outputs = step_.outputs;
    if (std::find(outputs.begin(), outputs.end(), made.name) != outputs.end()) return true;
    for (size_t i = end; i < step_.bindings.size(); ++i)
      for (const Node& read : relax::VariablesOf(by_name_.at(step_.bindings[i])->value))
        if (read.Same(made.variable)) return true;
    return false;
  }

  const FusedStep& step_;
  const Graph& legalized_;
  std::map<const void*, const GraphBinding*> maker_;
  std::map<const void*, std::string> name_of_;
  std::map<std::string, const GraphBinding*> by_name_;
};

}  // namespace

Result<std::vector<FusedStep>> BreakFusion(const FusedStep& step, const std::vector<size_t>& parts,
                                           const Graph& legalized, const FunctionTable& table,
                                           FuseMemo& memo) {
  const Parts graphs(step, legalized);
  std::vector<FusedStep> steps;
  size_t begin = 0;
  for (const size_t count : parts) {
    const size_t end = std::min(begin + count, step.bindings.size());
    const Graph part = TRY(Guard("breaking a fusion", [&] { return graphs.Of(begin, end); }));
    for (FusedStep& made : TRY(memo.Fuse(part, table)).steps) steps.push_back(std::move(made));
    begin = end;
  }
  return steps;
}

}  // namespace mutatenn
