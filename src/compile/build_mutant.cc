// Mutants: the graph mutated and taken through the whole line again (memoised), or one kernel's
// scheduled blocks mutated and compiled. What TVM refuses is stillborn; what compiles to the
// original is equivalent.
#include <algorithm>
#include <chrono>

#include "base/diff.h"
#include "base/hash.h"
#include "compile/graph.h"
#include "compile/pipeline.h"

namespace mutatenn {
namespace {

// What of a mutant touches this kernel, for the cache: the same mutation of the same kernel in
// another campaign, or for another step, is the same code.
std::string MutationKey(const Mutant& mutant, const std::string& kernel, const std::string& step) {
  std::string text = mutant.use.id + " " + DumpJson(mutant.use.parameters);
  for (const MutationPoint& point : mutant.points)
    if (point.kernel == kernel && point.step == step)
      text += " " + point.block + ":" + std::to_string(point.match) + ":" +
              std::to_string(point.variant);
  return text;
}

// The kernels that a mutant touches and, at scope step, the steps that it touches them for; in the
// order of its points.
std::vector<std::pair<std::string, std::string>> KernelsOf(const Mutant& mutant) {
  std::vector<std::pair<std::string, std::string>> touched;
  for (const MutationPoint& point : mutant.points) {
    std::pair<std::string, std::string> kernel{point.kernel, point.step};
    if (std::find(touched.begin(), touched.end(), kernel) == touched.end())
      touched.push_back(std::move(kernel));
  }
  return touched;
}

// Gives each of these steps, found by name, its own kernel.
Status UseInSteps(const Program& original, const std::map<std::string, Kernel>& kernels,
                  MutantProgram* mutant) {
  Program program = original;
  for (const auto& [name, kernel] : kernels) {
    const auto step = std::find_if(program.steps.begin(), program.steps.end(),
                                   [&](const Step& s) { return s.name == name; });
    if (step == program.steps.end())
      return Fail(Code::kInternal, "the program has no step '", name, "'");
    step->kernel = kernel.key;
    program.kernels[kernel.key] = kernel;
  }
  mutant->graph_changed = true;
  mutant->edit = Difference(original, program);
  return Ok();
}

}  // namespace

Result<Graph> Pipeline::MutateGraph(const Mutant& mutant) const {
  if (const auto user = user_.find(mutant.id); user != user_.end()) {
    if (!user->second.ok()) return user->second.error();
    return user->second.value().graph;
  }
  const MutationOperator* op = FindOperator(mutant.use.id);
  CHECK(op != nullptr, mutant.use.id);
  return ApplyToGraph(*op, mutant.use.parameters, graph_, mutant.points);
}

Result<Node> Pipeline::MutateKernel(const PerTarget& target, const Mutant& mutant,
                                    const std::string& kernel, const std::string& step) const {
  if (const auto user = user_.find(mutant.id); user != user_.end()) {
    if (!user->second.ok()) return user->second.error();
    return user->second.value().kernels.at(kernel);
  }
  const MutationOperator* op = FindOperator(mutant.use.id);
  CHECK(op != nullptr, mutant.use.id);
  const KernelSource& source = sources_.at(kernel);
  KernelSubject subject{source.key, source.role, source.layers, source.function};
  subject.step = step;
  return ApplyToKernel(*op, mutant.use.parameters, subject, target.scheduled.at(kernel).function,
                       mutant.points);
}

Result<BuiltMutant> Pipeline::BuildCode(int target_index, const Mutant& mutant) {
  const PerTarget& target = targets_.at(target_index);
  BuiltMutant built;
  built.ir_kind = "tir";
  built.program.mutant = mutant.id;
  built.cached = true;
  bool stillborn = false;
  std::string equal;
  std::map<std::string, Kernel> of_step;  // scope step: the step's own copy of its kernel
  for (const auto& [key, step] : KernelsOf(mutant)) {
    const KernelSource& source = sources_.at(key);
    const Node& scheduled = target.scheduled.at(key).function;
    Node mutated = TRY(MutateKernel(target, mutant, key, step));
    const std::string diff =
        TRY(Guard("printing", [&] { return UnifiedDiff(Script(scheduled), Script(mutated)); }));
    built.diff += "--- kernel " + source.role + " " + key + "\n+++ mutant " + mutant.id +
                  (step.empty() ? "" : " in step " + step) + "\n" + diff;
    auto made = [&]() -> Result<Scheduled> { return Scheduled{mutated, "", "", std::nullopt}; };
    Generated code = TRY(Generate(source, MutationKey(mutant, key, step), target, made, true));
    built.cached = built.cached && code.cached;
    if (code.entry.state == "stillborn") {
      stillborn = true;
      built.reason = code.entry.reason;
    } else if (code.entry.state == "equivalent") {
      equal = code.entry.reason;
    } else if (step.empty()) {
      built.program.replaced[key] = {key, source.role, code.library, code.entry.code};
      built.program.guarded.push_back(key);
    } else {
      const std::string own = key + "@" + step;
      of_step[step] = {own, source.role, code.library, code.entry.code};
      built.program.guarded.push_back(own);
    }
  }
  if (stillborn) {
    built.state = "stillborn";
  } else if (built.program.replaced.empty() && of_step.empty()) {
    built.state = "equivalent";
    built.reason = equal;
  } else {
    built.state = "ok";
    if (!of_step.empty()) TRY(UseInSteps(programs_.at(target_index), of_step, &built.program));
  }
  return built;
}

Status Pipeline::FuseMutated(const Graph& mutated, MutatedGraph* result, std::string* needs) {
  FusionWindow::Stages stages{[&](const Graph& graph) { return LegalizeGraph(graph, needs); },
                              [&](const Graph& graph) { return fuse_.Fuse(graph, table_); },
                              table_};
  const auto window = window_->Fuse(mutated, stages);
  if (window && !window->fused) return Ok();
  needs->clear();
  std::optional<std::string> printed;
  if (window) printed = printed_graph_.With(*window);
  if (printed) {
    *result = {std::move(*printed), TRY(reshapes_.ReadThrough(*window->fused))};
    return Ok();
  }
  const Graph rebuilt = TRY(Rebuild(mutated));
  result->printed = TRY(PrintGraph(rebuilt));
  const auto legalized = TRY(LegalizeGraph(rebuilt, needs));
  if (legalized) result->fused = TRY(reshapes_.ReadThrough(TRY(fuse_.Fuse(*legalized, table_))));
  return Ok();
}

Result<BuiltMutant> Pipeline::BuildGraph(int target_index, const Mutant& mutant,
                                         std::string* needs) {
  const PerTarget& target = targets_.at(target_index);
  BuiltMutant built;
  built.ir_kind = "relax";
  built.program.mutant = mutant.id;
  Graph mutated = TRY(MutateGraph(mutant));
  auto stillborn = [&](const Error& error) {
    built.state = "stillborn";
    built.reason = error.message;
    return built;
  };
  MutatedGraph graph;
  const Status fused = FuseMutated(mutated, &graph, needs);
  if (!needs->empty()) return built;
  if (!graph.printed.empty())
    built.diff = "--- graph\n+++ mutant " + mutant.id + "\n" +
                 UnifiedDiff(printed_graph_.text(), graph.printed);
  if (!fused.ok()) return stillborn(fused.error());

  std::vector<std::string> key_of_step;
  auto sources = TRY(SourcesOf(graph.fused, key_of_step));
  BuiltKernels kernels = target.compiled;
  built.cached = true;
  auto build = [&](const KernelSource& source,
                   const std::function<Result<Scheduled>()>& scheduled) -> Status {
    Generated code = TRY(Generate(source, "", target, scheduled, false));
    built.cached = built.cached && code.cached;
    kernels[source.key] = {
        {source.key, source.role, code.library, code.entry.code}, code.entry.packing, ""};
    return Ok();
  };
  auto build_with_packer = [&](const KernelSource& source) -> Status {
    TRY(build(source, [&]() { return Schedule(source, target); }));
    BuiltKernel& kernel = kernels.at(source.key);
    if (!kernel.packing) return Ok();
    const KernelSource packer = TRY(PackerFor(*kernel.packing));
    kernel.packer = packer.key;
    if (kernels.count(packer.key)) return Ok();
    return build(packer, [&]() -> Result<Scheduled> {
      return Scheduled{packer.function, "none", "", std::nullopt};
    });
  };
  for (const auto& [key, source] : sources) {
    if (kernels.count(key)) continue;
    Status made = build_with_packer(source);
    if (made.ok()) continue;
    if (made.error().code != Code::kTvm) return made.error();
    return stillborn(made.error());
  }
  Program program = TRY(Assemble(graph.fused, key_of_step, target, kernels));
  // Equal steps on equal values: the same program under another graph.
  const Program& original = programs_.at(target_index);
  bool same = program.steps.size() == original.steps.size() &&
              program.outputs.size() == original.outputs.size();
  auto names = [](const Program& p, const std::vector<int>& values) {
    std::vector<std::string> result;
    for (int i : values) result.push_back(p.values[i].name);
    return result;
  };
  for (size_t i = 0; same && i < program.steps.size(); ++i) {
    const Step &a = program.steps[i], &b = original.steps[i];
    same = program.kernels.at(a.kernel).code == original.kernels.at(b.kernel).code &&
           names(program, a.inputs) == names(original, b.inputs) &&
           names(program, a.outputs) == names(original, b.outputs) && a.views == b.views;
  }
  if (same && names(program, program.outputs) == names(original, original.outputs)) {
    built.state = "equivalent";
    built.reason = "equal steps";
    return built;
  }
  built.program.graph_changed = true;
  built.program.edit = Difference(original, program);
  built.state = "ok";
  return built;
}

BuiltMutant Pipeline::Build(int target, const Mutant& mutant, std::string* needs) {
  const auto start = std::chrono::steady_clock::now();
  const double linked = linking_s_;
  auto result = mutant.level == Level::kGraph     ? BuildGraph(target, mutant, needs)
                : mutant.level == Level::kLowered ? BuildLowered(target, mutant)
                                                  : BuildCode(target, mutant);
  BuiltMutant built;
  if (result.ok()) {
    built = std::move(*result);
  } else {
    // kTvm: TVM refused the mutated IR; a user's own operator may have made none. Anything else is
    // the tool's trouble, told as such.
    const Code code = result.error().code;
    const bool users = !mutant.use.file.empty() && code == Code::kInvalidInput;
    built.state = code == Code::kTvm || users ? "stillborn" : "error";
    built.reason = result.error().message;
  }
  built.mutant = mutant.id;
  built.target = target;
  built.link_s = linking_s_ - linked;
  built.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return built;
}

}  // namespace mutatenn
