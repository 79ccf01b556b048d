// Mutants: the graph mutated and taken through the whole line again (memoised), or one kernel's
// scheduled blocks mutated and compiled. What TVM refuses is stillborn; what compiles to the
// original is equivalent.
#include <algorithm>

#include "base/clock.h"
#include "base/diff.h"
#include "base/hash.h"
#include "compile/graph.h"
#include "compile/pipeline.h"
#include "compile/rebuild.h"

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

// Equal steps on equal values: the same program under another graph.
bool SameSteps(const Program& a, const Program& b) {
  auto names = [](const Program& program, const std::vector<int>& values) {
    std::vector<std::string> result;
    for (int value : values) result.push_back(program.values[static_cast<size_t>(value)].name);
    return result;
  };
  auto same = [&](const Step& s, const Step& t) {
    return SameCode(a.kernels.at(s.kernel), b.kernels.at(t.kernel)) &&
           names(a, s.inputs) == names(b, t.inputs) && names(a, s.outputs) == names(b, t.outputs) &&
           s.views == t.views;
  };
  return std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(), b.steps.end(), same) &&
         names(a, a.outputs) == names(b, b.outputs);
}

BuiltMutant Stillborn(BuiltMutant built, const Error& error) {
  built.state = "stillborn";
  built.reason = error.message;
  return built;
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
  for (const auto& entry : kernels) {
    const Kernel& kernel = entry.second;
    const auto step = std::find_if(program.steps.begin(), program.steps.end(),
                                   [&](const Step& s) { return s.name == entry.first; });
    if (step == program.steps.end())
      return Fail(Code::kInternal, "the program has no step '", entry.first, "'");
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
    return ScheduleMutated(target, kernel, user->second.value().kernels.at(kernel));
  }
  const MutationOperator* op = FindOperator(mutant.use.id);
  CHECK(op != nullptr, mutant.use.id);
  const KernelSource& source = sources_.at(kernel);
  KernelSubject subject{source.key, source.role, source.layers, source.function};
  subject.step = step;
  if (target.target.accelerator())
    return ScheduleMutated(
        target, kernel,
        TRY(ApplyToKernel(*op, mutant.use.parameters, subject, source.function, mutant.points)));
  return ApplyToKernel(*op, mutant.use.parameters, subject, target.scheduled.at(kernel).function,
                       mutant.points);
}

Result<Pipeline::Finish> Pipeline::BeginCode(int target_index, const Mutant& mutant,
                                             KernelBatch& batch) const {
  const PerTarget& target = targets_.at(target_index);
  std::vector<MutatedKernel> kernels;
  std::string diff;
  for (const auto& [key, step] : KernelsOf(mutant)) {
    const KernelSource& source = sources_.at(key);
    const Node& scheduled = target.scheduled.at(key).function;
    const Node mutated = TRY(MutateKernel(target, mutant, key, step));
    diff += "--- kernel " + source.role + " " + key + "\n+++ mutant " + mutant.id +
            (step.empty() ? "" : " in step " + step) + "\n" +
            TRY(Guard("printing", [&] { return UnifiedDiff(Script(scheduled), Script(mutated)); }));
    const OriginalKernel original = target.Original(key);
    auto made = [&]() -> Result<Scheduled> { return Scheduled{mutated}; };
    kernels.push_back(
        {&source, step,
         TRY(batch.Add(source, MutationKey(mutant, key, step), target.target, made, &original))});
  }
  return FinishKernels(target_index, mutant, kernels, diff);
}

Pipeline::Finish Pipeline::FinishKernels(int target_index, const Mutant& mutant,
                                         const std::vector<MutatedKernel>& kernels,
                                         const std::string& diff,
                                         const std::string& ir_kind) const {
  return [this, target_index, kernels, diff, ir_kind, &mutant]() -> Result<BuiltMutant> {
    BuiltMutant built;
    built.ir_kind = ir_kind;
    built.diff = diff;
    built.program.mutant = mutant.id;
    built.cached = true;
    bool stillborn = false;
    std::string equal;
    std::map<std::string, Kernel> of_step;  // scope step: the step's own copy of its kernel
    for (const auto& [source, step, added] : kernels) {
      const CachedLibrary& entry = added.code->entry;
      built.cached = built.cached && added.cached;
      if (entry.state == "stillborn") {
        stillborn = true;
        built.reason = entry.reason;
        continue;
      }
      if (entry.state == "equivalent") {
        equal = entry.reason;
        continue;
      }
      Kernel kernel = added.code->KernelOf(*source);
      if (!step.empty()) kernel.key += "@" + step;
      built.program.guarded.push_back(kernel.key);
      (step.empty() ? built.program.replaced[kernel.key] : of_step[step]) = kernel;
    }
    if (stillborn) {
      built.state = "stillborn";
    } else if (built.program.guarded.empty()) {
      built.state = "equivalent";
      built.reason = equal;
    } else {
      built.state = "ok";
      if (!of_step.empty()) TRY(UseInSteps(programs_.at(target_index), of_step, &built.program));
    }
    return built;
  };
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

Result<Pipeline::Finish> Pipeline::BeginGraph(int target_index, const Mutant& mutant,
                                              KernelBatch& batch, std::string* needs) {
  BuiltMutant built;
  built.ir_kind = "relax";
  built.program.mutant = mutant.id;
  built.cached = true;
  Graph mutated = TRY(MutateGraph(mutant));
  MutatedGraph graph;
  const Status fused = FuseMutated(mutated, &graph, needs);
  if (!needs->empty()) return Finish();
  if (!graph.printed.empty())
    built.diff = "--- graph\n+++ mutant " + mutant.id + "\n" +
                 UnifiedDiff(printed_graph_.text(), graph.printed);
  if (!fused.ok()) return Finish([=] { return Stillborn(built, fused.error()); });

  std::vector<std::string> key_of_step;
  const auto sources = TRY(SourcesOf(graph.fused, key_of_step));
  return BeginSteps(target_index, std::move(built), std::move(graph.fused), std::move(key_of_step),
                    sources, targets_.at(target_index).unit, batch, needs);
}

Result<Pipeline::Finish> Pipeline::BeginSteps(int target_index, BuiltMutant built, FusedGraph fused,
                                              std::vector<std::string> key_of_step,
                                              const std::map<std::string, KernelSource>& sources,
                                              const VectorUnit& unit, KernelBatch& batch,
                                              std::string* needs) const {
  const PerTarget& target = targets_.at(target_index);
  if (const auto untraced = Untraced(target, sources); !untraced.empty()) {
    *needs = TRY(PackUntraced(target_index, untraced));
    return Finish();
  }
  struct New {
    KernelSource source;
    KernelBatch::Added added;
    std::string packer;
  };
  std::map<std::string, New> kernels;
  auto add = [&](const KernelSource& source,
                 const std::function<Result<Scheduled>()>& scheduled) -> Result<New*> {
    auto added = TRY(batch.Add(source, "", target.target, scheduled));
    built.cached = built.cached && added.cached;
    return &(kernels[source.key] = {source, std::move(added), ""});
  };
  auto add_with_packer = [&](const KernelSource& source) -> Status {
    New* kernel = TRY(add(source, [&] { return Schedule(source, target, unit); }));
    const std::optional<Packing>& packing = kernel->added.code->entry.packing;
    if (!packing) return Ok();
    const KernelSource packer = TRY(PackerFor(*packing));
    kernel->packer = packer.key;
    if (kernels.count(packer.key) || target.compiled.count(packer.key)) return Ok();
    TRY(add(packer, [&]() -> Result<Scheduled> { return Scheduled{packer.function}; }));
    return Ok();
  };
  for (const auto& [key, source] : sources) {
    if (kernels.count(key) || target.compiled.count(key)) continue;
    const Status added = add_with_packer(source);
    if (added.ok()) continue;
    if (added.error().code != Code::kTvm) return added.error();
    return Finish([=] { return Stillborn(built, added.error()); });
  }
  return Finish([=, this, &target]() -> Result<BuiltMutant> {
    BuiltKernels all = target.compiled;
    for (const auto& [key, kernel] : kernels) {
      const BuiltCode& code = *kernel.added.code;
      if (code.error) return Stillborn(built, *code.error);
      all[key] = {code.KernelOf(kernel.source), code.entry.packing, kernel.packer};
    }
    const Program& original = programs_.at(target_index);
    const Program program = TRY(Assemble(fused, key_of_step, target, all));
    BuiltMutant done = built;
    if (SameSteps(program, original)) {
      done.state = "equivalent";
      done.reason = "equal steps";
      return done;
    }
    done.program.graph_changed = true;
    done.program.edit = Difference(original, program);
    done.state = "ok";
    return done;
  });
}

std::vector<Pipeline::Answer> Pipeline::Build(int target, const std::vector<Mutant>& mutants) {
  KernelBatch batch = NewBatch();
  std::vector<Answer> answers(mutants.size());
  std::vector<Finish> finish(mutants.size());
  auto failed = [&](size_t i, const Error& error) {
    // kTvm: TVM refused the mutated IR; a user's own operator may have made none. Anything else is
    // the tool's trouble, told as such.
    const bool users = !mutants[i].use.file.empty() && error.code == Code::kInvalidInput;
    answers[i].built.state = error.code == Code::kTvm || users ? "stillborn" : "error";
    answers[i].built.reason = error.message;
  };
  std::vector<double> seconds(mutants.size());
  for (size_t i = 0; i < mutants.size(); ++i) {
    AddSeconds timer(seconds[i]);
    const Mutant& mutant = mutants[i];
    auto begun =
        mutant.use.id == kRebuild         ? BeginRebuild(target, mutant, batch)
        : IsVariant(mutant.use.id)        ? BeginVariant(target, mutant, batch)
        : mutant.level == Level::kGraph   ? BeginGraph(target, mutant, batch, &answers[i].needs)
        : mutant.level == Level::kLowered ? BeginLowered(target, mutant, batch)
        : mutant.level == Level::kBuild   ? BeginOtherwise(target, mutant, batch, &answers[i].needs)
                                          : BeginCode(target, mutant, batch);
    if (begun.ok())
      finish[i] = std::move(*begun);
    else
      failed(i, begun.error());
  }
  double emit_s = 0;
  const Status emitted = [&] {
    AddSeconds timer(emit_s);
    return batch.Emit();
  }();
  for (size_t i = 0; i < mutants.size(); ++i) {
    if (!answers[i].needs.empty()) continue;
    BuiltMutant& built = answers[i].built;
    if (finish[i] && !emitted.ok()) {
      failed(i, emitted.error());
    } else if (finish[i]) {
      AddSeconds timer(seconds[i]);
      auto result = finish[i]();
      if (result.ok())
        built = std::move(*result);
      else
        failed(i, result.error());
    }
    built.mutant = mutants[i].id;
    built.target = target;
    built.link_s = batch.link_s() / static_cast<double>(mutants.size());
    built.seconds = seconds[i] + emit_s / static_cast<double>(mutants.size());
  }
  return answers;
}

}  // namespace mutatenn
