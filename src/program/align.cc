// Matches steps by the nodes that they compute, then finds what lies between matched values.
#include "program/align.h"

#include <algorithm>
#include <map>
#include <set>

namespace mutatenn {
namespace {

const Step& At(const Program& program, int step) {
  return program.steps[static_cast<size_t>(step)];
}

const TensorType& TypeOf(const Program& program, int value) {
  return program.values[static_cast<size_t>(value)].type;
}

std::map<std::string, std::vector<int>> ByLastLayer(const Program& program) {
  std::map<std::string, std::vector<int>> steps;
  for (size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    if (!step.weight_only && !step.layers.empty())
      steps[step.layers.back()].push_back(static_cast<int>(s));
  }
  return steps;
}

std::vector<int> Producers(const Program& program) {
  std::vector<int> producers(program.values.size(), -1);
  for (size_t s = 0; s < program.steps.size(); ++s) {
    if (program.steps[s].weight_only) continue;
    for (int value : program.steps[s].outputs)
      producers[static_cast<size_t>(value)] = static_cast<int>(s);
  }
  return producers;
}

bool SameOutputs(const Program& a, const Step& left, const Program& b, const Step& right) {
  return std::equal(left.outputs.begin(), left.outputs.end(), right.outputs.begin(),
                    right.outputs.end(),
                    [&](int x, int y) { return TypeOf(a, x) == TypeOf(b, y); });
}

// The steps that make what `step` writes from known values, which are added to `inputs`.
std::vector<int> Between(const Program& program, const std::vector<int>& made,
                         const std::map<int, int>& known, int step, std::set<int>* inputs) {
  std::set<int> needed = {step};
  std::vector<int> todo = {step};
  while (!todo.empty()) {
    const Step& next = At(program, todo.back());
    todo.pop_back();
    for (int value : next.inputs) {
      if (const auto found = known.find(value); found != known.end()) {
        inputs->insert(found->second);
      } else if (const int maker = made[static_cast<size_t>(value)];
                 maker >= 0 && needed.insert(maker).second) {
        todo.push_back(maker);
      }
    }
  }
  return {needed.begin(), needed.end()};
}

}  // namespace

std::vector<AlignedStep> Align(const Program& a, const Program& b) {
  std::map<int, AlignedStep> aligned;  // by A's step
  std::set<int> taken;                 // of B's steps
  auto pair = [&](int step_a, int step_b) {
    if (aligned.contains(step_a) || taken.contains(step_b)) return;
    if (!SameOutputs(a, At(a, step_a), b, At(b, step_b))) return;
    aligned[step_a] = {step_a, step_b, At(a, step_a).outputs, At(b, step_b).outputs, {}, {}, {}};
    taken.insert(step_b);
  };
  const std::vector<int> made_a = Producers(a), made_b = Producers(b);
  for (size_t i = 0; i < a.outputs.size() && i < b.outputs.size(); ++i) {
    const int step_a = made_a[static_cast<size_t>(a.outputs[i])];
    const int step_b = made_b[static_cast<size_t>(b.outputs[i])];
    if (step_a >= 0 && step_b >= 0) pair(step_a, step_b);
  }
  const auto layers_a = ByLastLayer(a), layers_b = ByLastLayer(b);
  for (const auto& [layer, steps] : layers_a) {
    const auto others = layers_b.find(layer);
    if (others == layers_b.end()) continue;
    if (steps.size() == others->second.size()) {
      for (size_t i = 0; i < steps.size(); ++i) pair(steps[i], others->second[i]);
    } else {
      pair(steps.back(), others->second.back());
    }
  }

  std::vector<AlignedStep> list;
  std::map<int, int> known_a, known_b;  // a value -> the aligned step so far that makes it
  for (auto& [step, entry] : aligned) {
    std::set<int> inputs;
    entry.steps_a = Between(a, made_a, known_a, entry.step_a, &inputs);
    entry.steps_b = Between(b, made_b, known_b, entry.step_b, &inputs);
    entry.inputs.assign(inputs.begin(), inputs.end());
    for (int value : entry.values_a) known_a[value] = static_cast<int>(list.size());
    for (int value : entry.values_b) known_b[value] = static_cast<int>(list.size());
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace mutatenn
