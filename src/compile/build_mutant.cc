// Mutants: the graph mutated and taken through the whole line again (memoised), or one kernel's
// scheduled blocks mutated and compiled. What TVM refuses is stillborn; what compiles to the
// original is equivalent.
#include <chrono>

#include "base/diff.h"
#include "base/hash.h"
#include "compile/graph.h"
#include "compile/pipeline.h"

namespace mutatenn {
namespace {

// What of a mutant touches this kernel, for the cache: the same mutation of the same kernel in
// another campaign is the same code.
std::string MutationKey(const Mutant& mutant, const std::string& kernel) {
  std::string text = mutant.use.id + " " + DumpJson(mutant.use.parameters);
  for (const MutationPoint& point : mutant.points)
    if (point.kernel == kernel)
      text += " " + point.block + ":" + std::to_string(point.match) + ":" +
              std::to_string(point.variant);
  return text;
}

}  // namespace

Result<BuiltMutant> Pipeline::BuildCode(int target_index, const Mutant& mutant) {
  const PerTarget& target = targets_.at(target_index);
  const MutationOperator* op = FindOperator(mutant.use.id);
  CHECK(op != nullptr);
  BuiltMutant built;
  built.ir_kind = "tir";
  built.program.mutant = mutant.id;
  built.cached = true;
  bool stillborn = false;
  std::string equal;
  for (const std::string& key : kernel_order_) {
    bool touched = false;
    for (const MutationPoint& point : mutant.points) touched = touched || point.kernel == key;
    if (!touched) continue;
    const KernelSource& source = sources_.at(key);
    const Node& scheduled = target.scheduled.at(key).function;
    Node mutated = TRY(ApplyToKernel(*op, mutant.use.parameters,
                                     {source.key, source.role, source.layers, source.function},
                                     scheduled, mutant.points));
    const std::string diff =
        TRY(Guard("printing", [&] { return UnifiedDiff(Script(scheduled), Script(mutated)); }));
    built.diff +=
        "--- kernel " + source.role + " " + key + "\n+++ mutant " + mutant.id + "\n" + diff;
    auto made = [&]() -> Result<Scheduled> { return Scheduled{mutated, "", "", std::nullopt}; };
    Generated code = TRY(Generate(source, MutationKey(mutant, key), target, made, true));
    built.cached = built.cached && code.cached;
    if (code.entry.state == "stillborn") {
      stillborn = true;
      built.reason = code.entry.reason;
    } else if (code.entry.state == "equivalent") {
      equal = code.entry.reason;
    } else {
      built.program.replaced[key] = {key, source.role, code.library, code.entry.code};
      built.program.guarded.push_back(key);
    }
  }
  if (stillborn) {
    built.state = "stillborn";
  } else if (built.program.replaced.empty()) {
    built.state = "equivalent";
    built.reason = equal;
  } else {
    built.state = "ok";
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
  const MutationOperator* op = FindOperator(mutant.use.id);
  CHECK(op != nullptr);
  BuiltMutant built;
  built.ir_kind = "relax";
  built.program.mutant = mutant.id;
  Graph mutated = TRY(ApplyToGraph(*op, mutant.use.parameters, graph_, mutant.points));
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
    // kTvm: TVM refused the mutated IR. Anything else is the tool's trouble, told as such.
    built.state = result.error().code == Code::kTvm ? "stillborn" : "error";
    built.reason = result.error().message;
  }
  built.mutant = mutant.id;
  built.target = target;
  built.link_s = linking_s_ - linked;
  built.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return built;
}

}  // namespace mutatenn
