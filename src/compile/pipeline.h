// The straight line from an imported network to programs and mutants, at levels 2 (fused) and 3
// (fused and scheduled):
//   graph mutation -> type anew -> batch norm lowered -> legalise -> weight-only steps apart, fuse
//   -> [kernel key] -> normalise, tile -> code mutation -> lower -> object -> link
// Everything here runs in the compile server; what generates code runs in its forked children.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compile/cache.h"
#include "compile/export.h"
#include "compile/fuse.h"
#include "compile/generator.h"
#include "compile/kernel_batch.h"
#include "compile/legalize.h"
#include "compile/printed_graph.h"
#include "compile/schedule/schedule.h"
#include "compile/target.h"
#include "compile/user_operators.h"
#include "compile/views.h"
#include "compile/window.h"
#include "model/model.h"
#include "mutation/subject.h"
#include "program/program.h"

namespace mutatenn {

class Pipeline {
 public:
  Pipeline(GeneratorOptions options, std::unique_ptr<Frontend> frontend);

  // Imports the model, makes the original's steps and kernels, schedules them for every target.
  Status Open();
  // Generates the original's code for every target, in children, through the cache.
  Status CompileOriginal();
  // Programs without code, for who asks only where mutants could be.
  Status AssembleOnly();
  GeneratorInfo Describe() const;

  Result<std::vector<PointsOfUse>> Points(const std::vector<OperatorUse>& uses);
  // Has the front end, which the children of Build cannot ask, apply users' own operators; Build
  // finds what came of it. Does nothing for other mutants.
  void Prepare(int target, const std::vector<Mutant>& mutants);
  Result<std::string> Print(int target, const std::string& kernel) const;

  // Runs in a child. Where `needs` is not empty, those operators or schedules (packed) are to be
  // asked of the front end first, by Legalize; the mutant is not built then.
  struct Answer {
    BuiltMutant built;
    std::string needs;
  };
  std::vector<Answer> Build(int target, const std::vector<Mutant>& mutants);
  Status Legalize(const std::string& needs);
  // Writes a mutant as a module or a library (export.cc); needs no machine code of the original.
  Status Export(const ExportRequest& request);
  const GeneratorOptions& options() const { return options_; }

 private:
  struct BuiltKernel {
    Kernel kernel;
    std::optional<Packing> packing;  // of one of its inputs ...
    std::string packer;              // ... by this kernel
  };
  using BuiltKernels = std::map<std::string, BuiltKernel>;
  struct PerTarget {
    Target target;
    VectorUnit unit;
    std::map<std::string, KernelSource> packers;  // kernels that pack weights, by key
    std::map<std::string, KernelSource> tools;    // accelerators: program/device_tools.h
    std::map<std::string, Scheduled> scheduled;   // by kernel key
    BuiltKernels compiled;                        // by kernel key
    std::map<std::string, std::string> lowered;   // kernel key -> hash of the lowered function
    std::map<std::string, Node> lowered_code;     // by kernel key, as LoweredSubject asks for it
    std::map<std::string, std::string> traces;    // accelerators: by kernel key, dlight's schedule
    OriginalKernel Original(const std::string& key) const;
    std::string TraceOf(const std::string& key) const {  // "": the plain schedule
      const auto trace = traces.find(key);
      return trace == traces.end() ? "" : trace->second;
    }
  };

  // Batch norm lowered, operators legalised. Nothing but `needs` where some are not known yet.
  Result<std::optional<Graph>> LegalizeGraph(const Graph& graph, std::string* needs);
  struct MutatedGraph {
    std::string printed;
    FusedGraph fused;
  };
  // Through a window where one is proven, else whole. kTvm: the mutant is stillborn.
  Status FuseMutated(const Graph& mutated, MutatedGraph* result, std::string* needs);
  Result<std::map<std::string, KernelSource>> SourcesOf(
      const FusedGraph& fused, std::vector<std::string>& key_of_step) const;
  Result<Program> Assemble(const FusedGraph& fused, const std::vector<std::string>& key_of_step,
                           const PerTarget& target, const BuiltKernels& kernels) const;
  // What code operators are applied to: each kernel once, or each step that calls one.
  std::vector<KernelSubject> Subjects(bool by_step) const;
  // `unit`: for CPUs, the target's own or another.
  Result<Scheduled> Schedule(const KernelSource& source, const PerTarget& target,
                             const VectorUnit& unit) const;
  // Accelerators (threads.cc): has the front end schedule what has no trace yet; a child can only
  // say what it needs, for Legalize in the process that owns the front end.
  std::vector<const KernelSource*> Untraced(
      const PerTarget& target, const std::map<std::string, KernelSource>& sources) const;
  Result<std::string> PackUntraced(int target,
                                   const std::vector<const KernelSource*>& sources) const;
  Status Trace(PerTarget& target, const std::string& module_json);
  // Of an accelerator: the kernel with its mutation, scheduled as the original is. There a schedule
  // merges blocks, so that a mutation has to be made before it.
  Result<Node> ScheduleMutated(const PerTarget& target, const std::string& kernel,
                               const Node& mutated) const;
  // The kernel that lays a weight out as asked: weight-only, scheduled as it is.
  Result<KernelSource> PackerFor(const Packing& packing) const;
  // What the mutant's operator makes of the graph, or of a kernel's scheduled function.
  Result<Graph> MutateGraph(const Mutant& mutant) const;
  Result<Node> MutateKernel(const PerTarget& target, const Mutant& mutant,
                            const std::string& kernel, const std::string& step) const;
  Result<std::vector<MutationPoint>> PointsInLowered(const MutationOperator& op,
                                                     const Json& parameters);
  // A kernel of the original as lowering makes it for a target; lowered once.
  Result<KernelSubject> LoweredSubject(PerTarget& target, const KernelSource& source);
  KernelBatch NewBatch() const { return {cache_, options_.root, toolchain_}; }
  // A mutant's build in two parts: what is done at once, its kernels being added to the batch, and
  // what is done when the batch has machine code for them.
  using Finish = std::function<Result<BuiltMutant>()>;
  Result<Finish> BeginGraph(int target, const Mutant& mutant, KernelBatch& batch,
                            std::string* needs);
  // The rest for a mutant of other steps. Of `sources`, kernels that the original lacks are
  // scheduled for `unit` and added to the batch, and so is what packs their weights.
  Result<Finish> BeginSteps(int target, BuiltMutant built, FusedGraph fused,
                            std::vector<std::string> key_of_step,
                            const std::map<std::string, KernelSource>& sources,
                            const VectorUnit& unit, KernelBatch& batch, std::string* needs) const;
  Result<Finish> BeginCode(int target, const Mutant& mutant, KernelBatch& batch) const;
  // The mutant's points in this target's lowered code; ignored where it has none.
  Result<Finish> BeginLowered(int target, const Mutant& mutant, KernelBatch& batch);
  // Level build (build_otherwise.cc): the compiler run with other settings.
  BuildSettings SettingsOf(const PerTarget& target, const std::string& kernel) const;
  std::vector<KernelSubject> BuildSubjects() const;
  using Changed = std::map<std::string, std::pair<BuildSettings, BuildSettings>>;  // by kernel key
  Result<Finish> BeginOtherwise(int target, const Mutant& mutant, KernelBatch& batch,
                                std::string* needs);
  Result<Finish> BeginOtherCode(int target, const Mutant& mutant, const Changed& changed,
                                const std::string& diff, KernelBatch& batch);
  Result<Finish> BeginOtherWidth(int target, const Changed& changed, BuiltMutant built,
                                 KernelBatch& batch, std::string* needs) const;
  Result<Finish> BeginOtherFusion(int target, const Changed& changed, BuiltMutant built,
                                  KernelBatch& batch, std::string* needs);
  struct OtherKernel {
    KernelSource source;
    Scheduled scheduled;
    KernelBatch::Added added;
  };
  using OtherKernels = std::map<std::string, OtherKernel>;  // by the key of the original's
  Result<BuiltMutant> WithOtherKernels(int target, const std::string& mutant, BuiltMutant built,
                                       const OtherKernels& made) const;
  // Other legal code for the whole original (build_variant.cc), by the id of the mutant's use.
  Result<Finish> BeginVariant(int target, const Mutant& mutant, KernelBatch& batch);
  Result<Scheduled> VariantOf(const std::string& variant, const KernelSource& source,
                              const PerTarget& target) const;
  // Other code for kernels of the original (rebuild.cc).
  Result<Finish> BeginRebuild(int target, const Mutant& mutant, KernelBatch& batch);
  Node FusedFunction(const std::string& key) const;  // of a kernel, not normalised
  // A mutant's program and the function of every kernel that it calls, by key.
  struct MutantCode {
    Program program;
    std::map<std::string, Node> functions;
  };
  Status CodeOf(const Mutant& mutant, PerTarget& target, MutantCode* code);
  Status ProgramOfGraph(const Graph& mutated, PerTarget& target, MutantCode* code);
  Result<std::string> GraphModule(const Graph& mutated) const;
  struct MutatedKernel {
    const KernelSource* source;
    std::string step;  // "" = all that call the kernel
    KernelBatch::Added added;
  };
  Finish FinishKernels(int target, const Mutant& mutant, const std::vector<MutatedKernel>& kernels,
                       const std::string& diff, const std::string& ir_kind = "tir") const;

  GeneratorOptions options_;
  std::unique_ptr<Frontend> frontend_;
  Cache cache_;
  ImportedModel imported_;
  std::string weights_file_;  // relative to the campaign folder
  std::string toolchain_;     // versions and passes: part of every cache key
  Graph graph_;
  std::string graph_hash_;
  PrintedGraph printed_graph_;
  LegalizeMemo legalize_;
  FunctionTable table_;
  FuseMemo fuse_;
  ReshapeMemo reshapes_;
  Graph legalized_;
  FusedGraph fused_whole_;  // with its reshapes
  FusedGraph fused_;
  std::optional<FusionWindow> window_;
  std::map<const void*, uint64_t> hash_of_function_;  // of the original's steps
  std::vector<std::string> key_of_step_;
  std::map<std::string, KernelSource> sources_;
  std::vector<std::string> kernel_order_;  // keys in program order, each once
  std::vector<PerTarget> targets_;
  std::map<std::string, Target> other_targets_;  // of mutants of level build, by their JSON
  std::vector<Program> programs_;
  std::map<std::string, Result<UserMutation>> user_;  // by mutant, of the batch that is built
  double import_s_ = 0, compile_s_ = 0, generate_s_ = 0, link_s_ = 0;
  int compiled_ = 0, cached_ = 0;
};

}  // namespace mutatenn
