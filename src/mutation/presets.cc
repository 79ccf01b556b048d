// Presets from the registry.
#include "mutation/presets.h"

#include <algorithm>

#include "mutation/operator.h"
#include "mutation/tool_mutations.h"

namespace mutatenn {
namespace {

std::vector<OperatorUse> Declared(const MutationOperator& op, const std::string& preset) {
  std::vector<OperatorUse> uses;
  for (const PresetUse& use : op.presets)
    if (use.preset == preset) uses.push_back({op.id, use.parameters, use.positions});
  if (uses.empty() && (preset == "all" || (preset == "default" && op.level() != Level::kBuild)))
    uses.push_back({op.id, Json::object(), ""});
  return uses;
}

}  // namespace

const std::vector<std::string>& PresetNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"default", "paper", "all"};
    auto add = [&](const std::string& name) {
      if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
    };
    for (const MutationOperator* op : AllOperators())
      for (const PresetUse& use : op->presets) add(use.preset);
    for (const MutationOperator* op : AllOperators()) add(LevelName(op->level()));
    for (const MutationOperator* op : AllOperators()) add(op->category);
    return all;
  }();
  return names;
}

std::vector<OperatorUse> UsesOfPreset(const std::string& name) {
  std::vector<OperatorUse> uses;
  if (name == "paper") uses = PaperUses();
  for (const MutationOperator* op : AllOperators()) {
    const bool group = op->category == name || name == LevelName(op->level());
    for (OperatorUse& use : Declared(*op, group ? "all" : name)) uses.push_back(std::move(use));
  }
  return uses;
}

}  // namespace mutatenn
