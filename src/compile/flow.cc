// Post-dominators as FuseOps computes them (TVM: src/relax/analysis/graph_partitioner.cc), on the
// two halves, weight-only and the rest, each of which is fused as a function of its own.
#include "compile/flow.h"

#include <algorithm>
#include <functional>

#include "tvm/relax.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// Values of op_pattern.
constexpr int kInjective = 2, kReduction = 3, kAnchor = 4, kOpaque = 8;

}  // namespace

std::vector<FlowItem> FlowItems(const Graph& legalized, const FunctionTable& table) {
  std::map<const void*, std::string> names;
  for (const Node& parameter : legalized.parameters)
    names[parameter.id()] = parameter["name"].Text();
  std::vector<FlowItem> items;
  for (const GraphBinding& binding : legalized.bindings) {
    names[binding.variable.id()] = binding.name;
    FlowItem item;
    item.name = binding.name;
    item.tuple = relax::IsTuple(binding.variable["ty"]) || !binding.value.Is(type::kCall);
    if (binding.value.Is(type::kCall))
      item.pattern =
          relax::OpPattern(table.Find(binding.value["args"].At(0)["name_hint"].Text())->function);
    else if (binding.value.Is(type::kTupleGetItem))
      item.pattern = kInjective;
    for (const Node& variable : relax::VariablesOf(binding.value))
      item.reads.push_back(names.at(variable.id()));
    items.push_back(std::move(item));
  }
  return items;
}

Flow::Flow(std::vector<FlowItem> items, const std::set<std::string>& inputs,
           const std::vector<std::string>& outputs)
    : items_(std::move(items)),
      readers_(items_.size()),
      producers_(items_.size()),
      consumers_(items_.size()),
      weight_only_(items_.size(), true),
      output_(items_.size(), false) {
  for (size_t i = 0; i < items_.size(); ++i) {
    std::vector<int> read;
    for (const std::string& name : items_[i].reads) {
      const int producer = Find(name);
      if (producer >= 0) read.push_back(producer);
      if (producer >= 0 ? !weight_only_[producer] : inputs.count(name) > 0) weight_only_[i] = false;
    }
    for (int producer : read) {
      readers_[producer].push_back(static_cast<int>(i));
      if (weight_only_[producer] != weight_only_[i]) {
        output_[producer] = true;  // of its half
        continue;
      }
      producers_[i].push_back(producer);
      consumers_[producer].push_back(static_cast<int>(i));
    }
    if (!index_.emplace(items_[i].name, static_cast<int>(i)).second)
      GiveUp("two values are named '" + items_[i].name + "'");
  }
  for (const std::string& name : outputs)
    if (const int item = Find(name); item >= 0) output_[item] = true;
  FindPostDominators();
}

int Flow::Find(const std::string& name) const {
  auto found = index_.find(name);
  return found == index_.end() ? -1 : found->second;
}

int Flow::Meet(int a, int b) const {
  while (a != b) {
    if (a < 0 || b < 0) return -1;
    const int depth_a = depth_[a], depth_b = depth_[b];
    if (depth_a >= depth_b) a = parent_[a];
    if (depth_b >= depth_a) b = parent_[b];
  }
  return a;
}

void Flow::FindPostDominators() {
  parent_.assign(items_.size(), -1);
  depth_.assign(items_.size(), 1);
  for (size_t n = items_.size(); n-- > 0;) {
    if (output_[n] || consumers_[n].empty()) continue;
    int meet = consumers_[n].front();
    for (int consumer : consumers_[n]) meet = Meet(meet, consumer);
    parent_[n] = meet;
    depth_[n] = meet < 0 ? 1 : depth_[meet] + 1;
  }
}

bool Flow::Final(int item) const {
  if (items_[item].tuple) return false;
  const int meet = parent_[item], own = items_[item].pattern;
  if (meet < 0 || own == kReduction || own == kOpaque) return true;
  int between = 0;  // the largest pattern on the way
  std::set<int> seen;
  std::function<void(int)> visit = [&](int at) {
    for (int next : consumers_[at]) {
      if (next == meet || !seen.insert(next).second) continue;
      between = std::max(between, items_[next].pattern);
      visit(next);
    }
  };
  visit(item);
  const int end = items_[meet].pattern;
  if (own == kAnchor) return std::max(between, end) > 0;
  return own <= kInjective && (between > kInjective || end >= kAnchor);
}

std::vector<int> Flow::GroupOrder(const std::vector<int>& group) const {
  std::map<int, std::vector<int>> needs;
  for (size_t i = 0; i < items_.size(); ++i)
    for (int producer : producers_[i])
      if (group[producer] != group[i]) needs[group[i]].push_back(group[producer]);
  std::vector<int> order;
  std::set<int> seen;
  std::function<void(int)> visit = [&](int g) {
    if (!seen.insert(g).second) return;
    for (int needed : needs[g]) visit(needed);
    order.push_back(g);
  };
  for (bool half : {true, false})
    for (size_t i = 0; i < items_.size(); ++i)
      if (weight_only_[i] == half) visit(group[i]);
  return order;
}

}  // namespace mutatenn
