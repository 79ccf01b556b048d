// Why a window is enough: FuseOps fuses a call with the call where all its readers meet again (its
// immediate post-dominator), if the calls between allow it. A value that is Final is never fused
// forward, and no call before it is fused with one behind it. If every value that crosses the
// window's boundary, in the original or in the mutant, is final in both, FuseOps decides inside and
// outside apart: the groups outside are the original's, those inside what FuseOps makes of the
// window alone. So the window starts as the fusion groups of the edited bindings and grows until
// that holds.
#include "compile/window.h"

#include <algorithm>
#include <numeric>

#include "compile/graph.h"
#include "tvm/relax.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr int kRounds = 12;

// Bindings that a typed binding became stand before the one that carries its value.
void SetOwners(std::vector<FlowItem>& items, const std::map<std::string, int>& owner) {
  size_t first = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    auto found = owner.find(items[i].name);
    if (found == owner.end()) continue;
    for (; first <= i; ++first) items[first].owner = found->second;
  }
  if (first != items.size()) GiveUp("the last value has no name");
}

}  // namespace

FusionWindow::FusionWindow(const Graph& typed, const Graph& legalized, const FusedGraph& fused,
                           const FunctionTable& table)
    : typed_(typed), fused_(fused) {
  auto prepared = Guard("", [&] {
    const int size = static_cast<int>(typed.bindings.size());
    for (size_t i = 0; i < typed.parameters.size(); ++i) {
      const bool input = static_cast<int>(i) < typed.num_inputs;
      parameter_[typed.parameters[i].id()] = input;
      if (input) inputs_.insert(typed.parameters[i]["name"].Text());
    }
    readers_.resize(size);
    value_.resize(size);
    inseparable_.resize(size);
    auto together = [&](int a, int b) {
      if (a == b) return;
      inseparable_[a].push_back(b);
      inseparable_[b].push_back(a);
    };
    for (int i = 0; i < size; ++i) {
      const GraphBinding& binding = typed.bindings[i];
      producer_[binding.variable.id()] = i;
      value_[i] = binding.name;
      for (const Node& variable : relax::VariablesOf(binding.value)) {
        auto producer = producer_.find(variable.id());
        if (producer == producer_.end()) continue;
        readers_[producer->second].push_back(i);
        if (!relax::IsTuple(variable["ty"])) continue;
        together(producer->second, i);
        const GraphBinding& norm = typed.bindings[producer->second];
        if (relax::OperatorOf(norm.value) != op::kBatchNorm) continue;
        // LowerBatchNorm gives the norm's name to its first item.
        value_[i] = norm.name;
        value_[producer->second].clear();
      }
    }
    for (int i = 0; i < size; ++i)
      if (!value_[i].empty()) owner_[value_[i]] = i;
    std::vector<FlowItem> items = FlowItems(legalized, table);
    SetOwners(items, owner_);
    for (const GraphBinding& binding : legalized.bindings)
      types_[binding.name] = binding.variable["ty"];
    flow_.emplace(std::move(items), inputs_, fused.outputs);
    for (size_t s = 0; s < fused.steps.size(); ++s)
      for (const std::string& name : fused.steps[s].bindings) {
        step_[name] = static_cast<int>(s);
        together(flow_->items()[flow_->Find(fused.steps[s].bindings[0])].owner,
                 flow_->items()[flow_->Find(name)].owner);
      }
    // What is relied upon holds at least for the original.
    const FusedGraph same = Splice(*flow_, Inside(size, false), FusedGraph());
    for (size_t s = 0; s < fused.steps.size(); ++s)
      if (same.steps.at(s).outputs != fused.steps[s].outputs) GiveUp("the order is another");
    return Unit{};
  });
  usable_ = prepared.ok();
}

std::optional<FusionWindow::Outcome> FusionWindow::Fuse(const Graph& mutated,
                                                        const Stages& stages) const {
  if (!usable_ || mutated.bindings.size() != typed_.bindings.size() ||
      !mutated.output.Same(typed_.output))
    return std::nullopt;
  auto outcome = Guard("", [&] { return Try(mutated, stages); });
  if (!outcome.ok() || !outcome->ok()) return std::nullopt;
  return std::move(**outcome);
}

Result<std::optional<FusionWindow::Outcome>> FusionWindow::Try(const Graph& mutated,
                                                               const Stages& stages) const {
  Inside inside(typed_.bindings.size(), false);
  for (size_t i = 0; i < typed_.bindings.size(); ++i)
    if (!mutated.bindings[i].value.Same(typed_.bindings[i].value))
      Widen(inside, static_cast<int>(i));
  WidenAcross(*flow_, inside);
  for (int round = 0; round < kRounds; ++round) {
    const Cut cut = CutOut(mutated, inside);
    if (cut.exits.empty()) return std::optional<Outcome>();
    const Graph typed = TRY(Rebuild(cut.graph));
    Outcome outcome;
    outcome.entries = cut.entries;
    std::map<std::string, int> typed_owner;
    for (size_t i = 0; i < inside.size(); ++i) {
      if (!inside[i]) continue;
      outcome.replaced.push_back(static_cast<int>(i));
      typed_owner[typed_.bindings[i].name] = static_cast<int>(i);
    }
    std::vector<GraphBinding> before;
    for (const GraphBinding& binding : typed.bindings) {
      before.push_back(binding);
      auto owner = typed_owner.find(binding.name);
      if (owner != typed_owner.end()) outcome.typed[owner->second] = std::move(before), before = {};
    }
    const std::optional<Graph> legalized = TRY(stages.legalize(typed));
    if (!legalized) return std::optional<Outcome>(std::move(outcome));
    std::vector<FlowItem> items = FlowItems(*legalized, stages.table);
    SetOwners(items, owner_);
    const Flow flow = Compose(inside, std::move(items));
    CheckExits(cut, *legalized, flow);
    if (WidenAcross(flow, inside)) continue;
    outcome.fused = Splice(flow, inside, TRY(stages.fuse(*legalized)));
    return std::optional<Outcome>(std::move(outcome));
  }
  return std::optional<Outcome>();
}

void FusionWindow::Widen(Inside& inside, int binding) const {
  std::vector<int> todo = {binding};
  while (!todo.empty()) {
    const int next = todo.back();
    todo.pop_back();
    if (inside[next]) continue;
    inside[next] = true;
    todo.insert(todo.end(), inseparable_[next].begin(), inseparable_[next].end());
  }
}

FusionWindow::Cut FusionWindow::CutOut(const Graph& mutated, const Inside& inside) const {
  Cut cut;
  std::vector<Node> inputs, weights, exits;
  std::set<const void*> seen;
  std::vector<GraphBinding> bindings;
  for (size_t i = 0; i < inside.size(); ++i) {
    if (!inside[i]) continue;
    for (const Node& variable : relax::VariablesOf(mutated.bindings[i].value)) {
      auto producer = producer_.find(variable.id());
      if (producer == producer_.end()) {
        if (seen.insert(variable.id()).second)
          (parameter_.at(variable.id()) ? inputs : weights).push_back(variable);
      } else if (!inside[producer->second] && seen.insert(variable.id()).second) {
        // A value from outside becomes a parameter under its later name.
        const std::string& name = value_[producer->second];
        Node parameter = relax::Variable(name, variable["ty"], true);
        (flow_->weight_only(flow_->Find(name)) ? weights : inputs).push_back(parameter);
        GraphBinding renamed;
        renamed.name = name;
        renamed.variable = variable;
        renamed.value = parameter;
        cut.graph.bindings.push_back(std::move(renamed));
        cut.entries.emplace_back(parameter, producer->second);
      }
    }
    bindings.push_back(mutated.bindings[i]);
    const bool read =
        std::any_of(readers_[i].begin(), readers_[i].end(), [&](int r) { return !inside[r]; }) ||
        std::find(fused_.outputs.begin(), fused_.outputs.end(), value_[i]) != fused_.outputs.end();
    if (!read) continue;
    cut.exits.push_back(value_[i]);
    exits.push_back(mutated.bindings[i].variable);
  }
  cut.graph.bindings.insert(cut.graph.bindings.end(), bindings.begin(), bindings.end());
  cut.graph.num_inputs = static_cast<int>(inputs.size());
  cut.graph.parameters = std::move(inputs);
  cut.graph.parameters.insert(cut.graph.parameters.end(), weights.begin(), weights.end());
  cut.graph.output = exits.size() == 1 ? exits[0] : Make(global::kTuple, Node(exits));
  return cut;
}

Flow FusionWindow::Compose(const Inside& inside, std::vector<FlowItem> items) const {
  std::vector<FlowItem> all;
  auto outside = flow_->items().begin();
  auto window = items.begin();
  for (int i = 0; i < static_cast<int>(inside.size()); ++i) {
    for (; outside != flow_->items().end() && outside->owner == i; ++outside)
      if (!inside[i]) all.push_back(*outside);
    for (; window != items.end() && window->owner == i; ++window) all.push_back(std::move(*window));
  }
  // Names that the window makes are looked for among its own only.
  for (const FlowItem& item : all) {
    auto typed = owner_.find(item.name);
    if (typed != owner_.end() && typed->second != item.owner)
      GiveUp("a value took the name '" + item.name + "' of another");
  }
  return Flow(std::move(all), inputs_, fused_.outputs);
}

bool FusionWindow::WidenAcross(const Flow& mutated, Inside& inside) const {
  const Inside before = inside;
  std::set<std::string> crossing;  // in the original or in the mutant
  for (const Flow* flow : {&*flow_, &mutated})
    for (int i = 0; i < static_cast<int>(flow->items().size()); ++i) {
      const FlowItem& item = flow->items()[i];
      for (int reader : flow->readers(i))
        if (before[flow->items()[reader].owner] != before[item.owner]) crossing.insert(item.name);
      // What nothing reads any more goes with its last reader.
      if (!flow->used(i)) Widen(inside, item.owner);
    }
  for (const Flow* flow : {&*flow_, &mutated})
    for (const std::string& name : crossing) {
      const int i = flow->Find(name);
      if (i < 0 || flow->Final(i)) continue;
      Widen(inside, flow->items()[i].owner);
      for (int reader : flow->readers(i)) Widen(inside, flow->items()[reader].owner);
    }
  return inside != before;
}

void FusionWindow::CheckExits(const Cut& cut, const Graph& legalized, const Flow& flow) const {
  std::map<const void*, const GraphBinding*> by_variable;
  for (const GraphBinding& binding : legalized.bindings)
    by_variable[binding.variable.id()] = &binding;
  const std::vector<Node> outputs = relax::VariablesOf(legalized.output);
  for (size_t i = 0; i < cut.exits.size(); ++i) {
    const std::string& name = cut.exits[i];
    auto binding = by_variable.find(outputs.at(i).id());
    if (binding == by_variable.end() || binding->second->name != name)
      GiveUp("'" + name + "' became another value");
    if (!StructuralEqual(outputs[i]["ty"], types_.at(name)))
      GiveUp("'" + name + "' has another type");
    if (flow.weight_only(flow.Find(name)) != flow_->weight_only(flow_->Find(name)))
      GiveUp("'" + name + "' depends on other things than weights, or no more");
  }
}

FusedGraph FusionWindow::Splice(const Flow& flow, const Inside& inside, FusedGraph window) const {
  const int originals = static_cast<int>(fused_.steps.size());
  const int steps = originals + static_cast<int>(window.steps.size());
  std::map<std::string, int> made;
  for (size_t s = 0; s < window.steps.size(); ++s)
    for (const std::string& name : window.steps[s].bindings)
      made[name] = originals + static_cast<int>(s);
  std::vector<int> group;
  for (size_t i = 0; i < flow.items().size(); ++i) {
    const FlowItem& item = flow.items()[i];
    const std::map<std::string, int>& known = inside[item.owner] ? made : step_;
    auto found = known.find(item.name);
    if (found == known.end() && !item.tuple) GiveUp("'" + item.name + "' belongs to no step");
    group.push_back(found == known.end() ? steps + static_cast<int>(i) : found->second);
  }
  std::map<std::string, const FusedConstant*> constants;
  for (const FusedGraph* graph : {&fused_, static_cast<const FusedGraph*>(&window)})
    for (const FusedConstant& constant : graph->constants) constants[constant.name] = &constant;
  FusedGraph result;
  result.outputs = fused_.outputs;
  std::set<std::string> added;
  for (int g : flow.GroupOrder(group)) {
    if (g >= steps) continue;
    result.steps.push_back(g < originals ? fused_.steps[g] : window.steps[g - originals]);
    for (const std::string& input : result.steps.back().inputs) {
      auto constant = constants.find(input);
      if (constant != constants.end() && added.insert(input).second)
        result.constants.push_back(*constant->second);
    }
  }
  return result;
}

}  // namespace mutatenn
