// Two programs to their difference, and back.
#include <algorithm>
#include <unordered_map>

#include "base/hash.h"
#include "program/program.h"

namespace mutatenn {
namespace {

Error Damaged(const std::string& what) {
  return Fail(Code::kInvalidInput, "a mutant's program is damaged: ", what);
}

using Index = std::unordered_map<std::string, int>;  // name -> place in a list

template <class T>
Index IndexOf(const std::vector<T>& list) {
  Index index;
  for (size_t i = 0; i < list.size(); ++i) index.emplace(list[i].name, static_cast<int>(i));
  return index;
}

bool SameNames(const Program& a, const std::vector<int>& left, const Program& b,
               const std::vector<int>& right) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i)
    if (a.values[static_cast<size_t>(left[i])].name != b.values[static_cast<size_t>(right[i])].name)
      return false;
  return true;
}

// The mutant's list as runs of the original's; entries that `same` finds nowhere go to `fresh`.
template <class T, class Same>
std::vector<ProgramEdit::Run> Runs(const std::vector<T>& original, const std::vector<T>& mutant,
                                   std::vector<T>* fresh, Same&& same) {
  const Index index = IndexOf(original);
  std::vector<ProgramEdit::Run> runs;
  for (const T& entry : mutant) {
    auto found = index.find(entry.name);
    const int at = found == index.end() ? -1 : found->second;
    if (at < 0 || !same(original[static_cast<size_t>(at)], entry)) {
      if (runs.empty()) runs.push_back({});
      ++runs.back().fresh;
      fresh->push_back(entry);
    } else if (!runs.empty() && runs.back().fresh == 0 &&
               runs.back().from + runs.back().count == at) {
      ++runs.back().count;
    } else {
      runs.push_back({at, 1, 0});
    }
  }
  return runs;
}

template <class T, class Old, class New>
Status Replay(const std::vector<ProgramEdit::Run>& runs, const std::vector<T>& original,
              const std::vector<T>& fresh, Old&& take_old, New&& take_new) {
  const int64_t count = static_cast<int64_t>(original.size());
  size_t next = 0;
  for (const ProgramEdit::Run& run : runs) {
    if (run.from < 0 || run.count < 0 || run.fresh < 0 || run.from + int64_t{run.count} > count ||
        static_cast<size_t>(run.fresh) > fresh.size() - next)
      return Damaged("it is not of this original");
    for (int i = 0; i < run.count; ++i) TRY(take_old(original[static_cast<size_t>(run.from + i)]));
    for (int i = 0; i < run.fresh; ++i) take_new(fresh[next++]);
  }
  return Ok();
}

}  // namespace

ProgramEdit Difference(const Program& original, const Program& mutant) {
  ProgramEdit edit;
  edit.value_runs =
      Runs(original.values, mutant.values, &edit.values, [](auto& a, auto& b) { return a == b; });
  edit.step_runs =
      Runs(original.steps, mutant.steps, &edit.steps, [&](const Step& a, const Step& b) {
        return a.kernel == b.kernel && a.layers == b.layers && a.weight_only == b.weight_only &&
               a.views == b.views && SameNames(original, a.inputs, mutant, b.inputs) &&
               SameNames(original, a.outputs, mutant, b.outputs);
      });
  for (const auto& [key, kernel] : mutant.kernels) {
    auto known = original.kernels.find(key);
    if (known == original.kernels.end() || !(known->second == kernel)) edit.kernels[key] = kernel;
  }
  edit.inputs = mutant.inputs;
  edit.outputs = mutant.outputs;
  return edit;
}

Result<Program> Apply(const ProgramEdit& edit, const Program& original) {
  Program mutant{.model = original.model, .target = original.target};
  auto add_value = [&](const Value& value) { mutant.values.push_back(value); };
  TRY(Replay(
      edit.value_runs, original.values, edit.values,
      [&](const Value& value) -> Status {
        add_value(value);
        return Ok();
      },
      add_value));
  const Index index = IndexOf(mutant.values);
  auto translate = [&](std::vector<int>& values) -> Status {
    for (int& value : values) {
      auto found = index.find(original.values[static_cast<size_t>(value)].name);
      if (found == index.end()) return Damaged("a step lacks a value");
      value = found->second;
    }
    return Ok();
  };
  TRY(Replay(
      edit.step_runs, original.steps, edit.steps,
      [&](Step step) -> Status {
        TRY(translate(step.inputs));
        TRY(translate(step.outputs));
        mutant.steps.push_back(std::move(step));
        return Ok();
      },
      [&](const Step& step) { mutant.steps.push_back(step); }));
  mutant.kernels = edit.kernels;
  for (const Step& step : mutant.steps) {
    auto known = original.kernels.find(step.kernel);
    if (known != original.kernels.end()) mutant.kernels.insert(*known);
  }
  mutant.inputs = edit.inputs;
  mutant.outputs = edit.outputs;
  TRY(Validate(mutant));
  return mutant;
}

Result<Program> MutantProgram::Apply(const Program& original) const {
  if (graph_changed) return mutatenn::Apply(edit, original);
  Program result = original;
  for (const auto& [key, kernel] : replaced) result.kernels[key] = kernel;
  return result;
}

// Names of kernels and libraries (where the code is known) are left out, and what is not run; code,
// values and layers are named, because fates name the layer where a mutant diverges.
Result<std::string> RunsAs(const MutantProgram& mutant, const Program& original) {
  const Program program = TRY(mutant.Apply(original));
  Json text = Json::array();
  auto names = [&](const std::vector<int>& values) {
    Json list = Json::array();
    for (int value : values) {
      const Value& v = program.values[static_cast<size_t>(value)];
      list.push_back({v.name, v.type.shape, v.type.dtype, v.file, v.offset});
    }
    return list;
  };
  for (const Step& step : program.steps) {
    const bool guarded = std::find(mutant.guarded.begin(), mutant.guarded.end(), step.kernel) !=
                         mutant.guarded.end();
    const Kernel& kernel = program.kernels.at(step.kernel);
    const std::string code =
        kernel.code.empty() ? kernel.library + " " + kernel.symbol : kernel.code;
    text.push_back({step.name, code, names(step.inputs), names(step.outputs), step.layers,
                    step.weight_only, step.views, guarded});
  }
  text.push_back(names(program.outputs));
  return HashBytes(text.dump());
}

}  // namespace mutatenn
