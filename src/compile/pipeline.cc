// The original: import, steps, kernels, schedules, code. Programs are put together in assemble.cc,
// mutants built in build_mutant.cc.
#include "compile/pipeline.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "compile/codegen.h"
#include "compile/device_tools.h"
#include "compile/fork_pool.h"
#include "compile/graph.h"
#include "compile/nvrtc.h"
#include "compile/schedule/threads.h"
#include "compile/schedule_needs.h"
#include "compile/server_messages.h"
#include "program/device_tools.h"
#include "tvm/relax.h"
#include "tvm/runtime.h"

namespace mutatenn {
namespace {

// Raise when the same input may compile to other code: part of every cache key.
constexpr int kPipelineVersion = 4;

std::string Toolchain(const GeneratorOptions& options) {
  std::string text = "pipeline " + std::to_string(kPipelineVersion) + " rules " +
                     std::to_string(kScheduleRulesVersion) + " level " +
                     std::to_string(options.level) + " tvm " + TvmVersion();
  for (const std::string& pass : LoweringPasses()) text += " " + pass;
  for (const char* option : kLlvmOptions) text += std::string(" ") + option;
  return text;
}

Result<uint64_t> HashOfFunction(const Node& function) {
  return Guard("hashing a kernel",
               [&] { return StructuralHash(WithoutAttribute(function, "op_pattern")); });
}

std::string KeyOf(uint64_t hash, const std::vector<int>& constant_parameters) {
  std::string text = std::to_string(hash);
  for (int i : constant_parameters) text += " " + std::to_string(i);
  return HashBytes(text);
}

}  // namespace

Pipeline::Pipeline(GeneratorOptions options, std::unique_ptr<Frontend> frontend)
    : options_(std::move(options)), frontend_(std::move(frontend)), cache_(options_.cache) {}

Status Pipeline::Open() {
  const double start = SecondsNow();
  for (const char* folder : {"/kernels", "/weights"}) TRY(MakeDirectories(options_.root + folder));
  for (const std::string& text : options_.targets) {
    PerTarget per_target;
    per_target.target = TRY(ResolveTarget(text));
    if (!per_target.target.accelerator())
      per_target.unit = TRY(VectorUnitOf(per_target.target.node));
    targets_.push_back(std::move(per_target));
  }
  toolchain_ = Toolchain(options_);

  weights_file_ = "weights/" + HashBytes(options_.model_name) + ".bin";
  imported_ = TRY(frontend_->Import(options_.model_path, options_.root + "/" + weights_file_));
  const std::string where = options_.model_path;
  graph_ = TRY(Rebuild(TRY(GraphFromImport(imported_, table_).With(where))).With(where));
  graph_.weights = [this](const std::string& name) -> Result<std::string> {
    for (const ImportedWeight& weight : imported_.weights)
      if (weight.name == name)
        return ReadBytes(options_.root + "/" + weights_file_, weight.offset, weight.bytes);
    return Fail(Code::kInternal, "no weight '", name, "'");
  };
  graph_hash_ = GraphHash(graph_);
  printed_graph_ = TRY(PrintedGraph::Print(graph_));
  const Graph lowered = TRY(LowerBatchNorm(graph_).With(where));
  TRY(legalize_.Fetch(TRY(legalize_.Missing(lowered)), *frontend_).With(where));
  legalized_ = TRY(legalize_.Apply(lowered, table_).With(where));
  fused_whole_ = TRY(fuse_.Fuse(legalized_, table_).With(where));
  window_.emplace(graph_, legalized_, fused_whole_, table_);
  fused_ = TRY(reshapes_.ReadThrough(fused_whole_).With(where));
  for (const FusedStep& step : fused_.steps)
    hash_of_function_[step.function.id()] = TRY(HashOfFunction(step.function));
  sources_ = TRY(SourcesOf(fused_, key_of_step_).With(where));
  std::set<std::string> seen;
  for (const std::string& key : key_of_step_)
    if (seen.insert(key).second) kernel_order_.push_back(key);
  const double scheduling = SecondsNow();
  for (PerTarget& target : targets_) {
    const int index = static_cast<int>(&target - targets_.data());
    if (const auto untraced = Untraced(target, sources_); !untraced.empty())
      TRY(Legalize(TRY(PackUntraced(index, untraced))).With(where));
    for (const auto& [key, source] : sources_) {
      const Scheduled& made = target.scheduled[key] = TRY(Schedule(source, target, target.unit));
      if (!made.packing) continue;
      KernelSource packer = TRY(PackerFor(*made.packing));
      target.compiled[key].packer = packer.key;
      target.scheduled[packer.key] = {packer.function};
      target.packers.emplace(packer.key, std::move(packer));
    }
    if (!target.target.accelerator()) continue;
    for (auto& [key, function] :
         {std::pair{kDifferKernel, DifferFunction()}, std::pair{kDigestKernel, DigestFunction()}}) {
      target.tools[key] = {.key = key, .role = key, .function = TRY(function)};
      target.scheduled[key] = {target.tools[key].function};
    }
  }
  compile_s_ = SecondsNow() - scheduling;
  import_s_ = scheduling - start;
  return Ok();
}

Status Pipeline::Legalize(const std::string& needs) {
  if (int target = 0; const auto module = ScheduleNeed(needs, &target))
    return Trace(targets_.at(static_cast<size_t>(target)), *module);
  return legalize_.Fetch(TRY(LegalizeMemo::Unpack(needs)), *frontend_);
}

Result<std::optional<Graph>> Pipeline::LegalizeGraph(const Graph& graph, std::string* needs) {
  Graph lowered = TRY(LowerBatchNorm(graph));
  std::vector<Node> missing = TRY(legalize_.Missing(lowered));
  if (!missing.empty()) {
    *needs = TRY(LegalizeMemo::Pack(missing));
    return std::optional<Graph>();
  }
  return std::optional<Graph>(TRY(legalize_.Apply(lowered, table_)));
}

Result<std::map<std::string, KernelSource>> Pipeline::SourcesOf(
    const FusedGraph& fused, std::vector<std::string>& key_of_step) const {
  std::set<std::string> weights;
  for (size_t i = static_cast<size_t>(graph_.num_inputs); i < graph_.parameters.size(); ++i)
    weights.insert(graph_.parameters[i]["name"].Text());
  for (const FusedConstant& constant : fused.constants) weights.insert(constant.name);
  for (const FusedStep& step : fused.steps)
    if (step.weight_only) weights.insert(step.outputs.begin(), step.outputs.end());
  std::map<std::string, KernelSource> sources;
  key_of_step.clear();
  for (const FusedStep& step : fused.steps) {
    KernelSource source;
    source.role = step.role;
    for (size_t i = 0; i < step.inputs.size(); ++i)
      if (weights.count(step.inputs[i])) source.constant_parameters.push_back(static_cast<int>(i));
    auto hashed = hash_of_function_.find(step.function.id());
    source.key = KeyOf(
        hashed != hash_of_function_.end() ? hashed->second : TRY(HashOfFunction(step.function)),
        source.constant_parameters);
    key_of_step.push_back(source.key);
    source.weight_only = step.weight_only;
    source.layers = step.layers;
    auto known = sources.find(source.key);
    if (known != sources.end()) {
      known->second.weight_only = known->second.weight_only && step.weight_only;
      for (const std::string& layer : step.layers) {
        auto& layers = known->second.layers;
        if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
      }
      continue;
    }
    auto original = sources_.find(source.key);
    if (original != sources_.end()) {
      source.function = original->second.function;
    } else {
      source.function = options_.level >= 3 ? TRY(Normalize(step.function)) : step.function;
    }
    sources.emplace(source.key, std::move(source));
  }
  return sources;
}

Result<Scheduled> Pipeline::Schedule(const KernelSource& source, const PerTarget& target,
                                     const VectorUnit& unit) const {
  if (source.weight_only) return Scheduled{source.function};
  if (target.target.accelerator())
    return ScheduleThreads(source.function, target.TraceOf(source.key));
  if (options_.level < 3) return Scheduled{source.function};
  return Tile(source.function, source.constant_parameters, unit);
}

Result<KernelSource> Pipeline::PackerFor(const Packing& packing) const {
  KernelSource packer;
  packer.role = "pack_weight";
  packer.constant_parameters = {0};
  packer.weight_only = true;
  packer.function = TRY(PackingKernel(packing));
  packer.key = KeyOf(TRY(HashOfFunction(packer.function)), packer.constant_parameters);
  return packer;
}

OriginalKernel Pipeline::PerTarget::Original(const std::string& key) const {
  return {scheduled.at(key).function, lowered.at(key), compiled.at(key).kernel.code};
}

Status Pipeline::CompileOriginal() {
  const double start = SecondsNow();
  // A process's first kernel takes LLVM 40 ms more than the second: better here than in each child.
  for (const PerTarget& target : targets_) {
    if (target.target.kind == "cuda") TRY(LoadNvrtc());  // here, for the children too
    const Target host = target.target.accelerator() ? target.target.ForWeights() : target.target;
    const KernelSource small = TRY(PackerFor({0, {{1, 1}, "float32"}, 0, 1}));
    TRY(EmitObject({TRY(Lower(small.function, host))}, host.node));
  }
  struct Task {
    PerTarget* target;
    const KernelSource* source;
  };
  std::vector<Task> tasks;
  for (PerTarget& target : targets_) {
    for (const std::string& key : kernel_order_) tasks.push_back({&target, &sources_.at(key)});
    for (const auto& [key, packer] : target.packers) tasks.push_back({&target, &packer});
    for (const auto& [key, tool] : target.tools) tasks.push_back({&target, &tool});
  }
  std::vector<int> items(tasks.size());
  for (size_t i = 0; i < items.size(); ++i) items[i] = static_cast<int>(i);
  auto work = [&](const std::vector<int>& batch) {
    KernelBatch kernels = NewBatch();
    const double begin = SecondsNow();
    std::vector<Result<KernelBatch::Added>> added;
    for (int item : batch) {
      const auto& [target, source] = tasks[item];
      added.push_back(kernels.Add(*source, "", target->target, [&]() -> Result<Scheduled> {
        return target->scheduled.at(source->key);
      }));
    }
    const Status emitted = kernels.Emit();
    const double share = 1.0 / static_cast<double>(batch.size());
    std::vector<Json> results;
    for (const auto& kernel : added) {
      if (!kernel.ok() || !emitted.ok() || kernel->code->error) {
        results.push_back(ErrorToJson(!kernel.ok()    ? kernel.error()
                                      : !emitted.ok() ? emitted.error()
                                                      : *kernel->code->error));
        continue;
      }
      const CachedLibrary& entry = kernel->code->entry;
      results.push_back({{"library", entry.library},
                         {"symbol", entry.symbol},
                         {"code", entry.code},
                         {"lowered", entry.lowered},
                         {"cached", kernel->cached},
                         {"seconds", share * (SecondsNow() - begin)},
                         {"link_s", share * kernels.link_s()}});
    }
    return results;
  };
  auto done = [&](int item, const Json& result) -> Status {
    PerTarget& target = *tasks[item].target;
    const KernelSource& source = *tasks[item].source;
    if (result.contains("error")) {
      Error error = ErrorFromJson(result);
      return error.code == Code::kTvm
                 ? error.With("kernel " + source.role).With(options_.model_path)
                 : error;
    }
    (result["cached"].get<bool>() ? cached_ : compiled_)++;
    generate_s_ += result["seconds"].get<double>();
    link_s_ += result["link_s"].get<double>();
    BuiltCode code;
    code.entry.library = result["library"].get<std::string>();
    code.entry.symbol = result["symbol"].get<std::string>();
    code.entry.code = result["code"].get<std::string>();
    target.lowered[source.key] = result["lowered"].get<std::string>();
    BuiltKernel& built = target.compiled[source.key];
    built.kernel = code.KernelOf(source);
    built.packing = target.scheduled.at(source.key).packing;
    return Ok();
  };
  auto lost = [&](int item, const std::string& why) -> Status {
    return Fail(Code::kTvm, options_.model_path, ": kernel ", tasks[item].source->role, ": ", why);
  };
  ForkPoolOptions pool;
  pool.jobs = options_.jobs;
  pool.batch = options_.batch;
  pool.limit_s = options_.batch_limit_s;
  TRY(RunInChildren(items, pool, work, done, lost));
  for (const PerTarget& target : targets_)
    programs_.push_back(TRY(Assemble(fused_, key_of_step_, target, target.compiled)));
  compile_s_ += SecondsNow() - start;
  return Ok();
}

Status Pipeline::AssembleOnly() {
  for (PerTarget& target : targets_) {
    auto add = [&](const KernelSource& source) {
      BuiltKernel& built = target.compiled[source.key];
      built.kernel = {source.key, source.role, "none", "", kKernelSymbol};
      built.packing = target.scheduled.at(source.key).packing;
    };
    for (const std::string& key : kernel_order_) add(sources_.at(key));
    for (const auto& [key, packer] : target.packers) add(packer);
    for (const auto& [key, tool] : target.tools) add(tool);
    programs_.push_back(TRY(Assemble(fused_, key_of_step_, target, target.compiled)));
  }
  return Ok();
}

GeneratorInfo Pipeline::Describe() const {
  GeneratorInfo info;
  info.programs = programs_;
  info.graph_hash = graph_hash_;
  for (const ImportedLayer& layer : imported_.layers) info.layers.push_back({layer.name, layer.op});
  info.tvm_version = TvmVersion();
  for (const PerTarget& target : targets_)
    info.canonical_targets.push_back(target.target.canonical);
  info.import_s = import_s_;
  info.compile_s = compile_s_;
  info.generate_s = generate_s_;
  info.link_s = link_s_;
  info.kernels_compiled = compiled_;
  info.kernels_cached = cached_;
  return info;
}

std::vector<KernelSubject> Pipeline::Subjects(bool by_step) const {
  std::vector<KernelSubject> subjects;
  // Weight-only kernels run once, at load: on a deployed network they were folded away.
  if (!by_step) {
    for (const std::string& key : kernel_order_) {
      const KernelSource& source = sources_.at(key);
      if (!source.weight_only)
        subjects.push_back({source.key, source.role, source.layers, source.function});
    }
    return subjects;
  }
  for (size_t i = 0; i < fused_.steps.size(); ++i) {
    const FusedStep& step = fused_.steps[i];
    const KernelSource& source = sources_.at(key_of_step_[i]);
    if (step.weight_only) continue;
    subjects.push_back({source.key, source.role, step.layers, source.function});
    subjects.back().step = step.outputs.at(0);
  }
  return subjects;
}

Result<std::vector<PointsOfUse>> Pipeline::Points(const std::vector<OperatorUse>& uses) {
  const std::vector<KernelSubject> kernels = Subjects(/*by_step=*/false);
  const std::vector<KernelSubject> steps = Subjects(/*by_step=*/true);
  std::vector<PointsOfUse> all;
  for (const OperatorUse& use : uses) {
    if (!use.file.empty()) {
      PointsOfUse points{use, kUserCategory, Level::kGraph, {}};
      points.level = TRY(
          UserOperators::Enumerate(*frontend_, use, graph_, kernels, &points.points).With(use.id));
      all.push_back(std::move(points));
      continue;
    }
    const MutationOperator* op = FindOperator(use.id);
    if (op == nullptr) return Fail(Code::kInvalidInput, "no mutation operator '", use.id, "'");
    PointsOfUse points{use, op->category, op->level(), {}};
    if (op->level() == Level::kLowered) {
      points.points = TRY(PointsInLowered(*op, use.parameters).With(use.id));
    } else if (op->level() == Level::kGraph) {
      points.points = TRY(EnumerateGraph(*op, use.parameters, graph_).With(use.id));
    } else if (op->level() == Level::kBuild) {
      points.points = TRY(EnumerateKernels(*op, use.parameters, BuildSubjects()).With(use.id));
    } else {
      const auto& subjects = use.scope == kScopeStep ? steps : kernels;
      points.points = TRY(EnumerateKernels(*op, use.parameters, subjects).With(use.id));
    }
    all.push_back(std::move(points));
  }
  return all;
}

void Pipeline::Prepare(int target, const std::vector<Mutant>& mutants) {
  user_.clear();
  for (const Mutant& mutant : mutants) {
    if (mutant.use.file.empty()) continue;
    const PerTarget& per_target = targets_.at(target);
    std::map<std::string, Node> scheduled;
    for (const auto& [key, made] : per_target.scheduled) scheduled[key] = made.function;
    if (per_target.target.accelerator())
      for (const auto& [key, source] : sources_) scheduled[key] = source.function;
    user_.emplace(mutant.id, UserOperators::Apply(*frontend_, mutant, graph_,
                                                  Subjects(/*by_step=*/false), scheduled));
  }
}

Result<std::string> Pipeline::Print(int target, const std::string& kernel) const {
  if (kernel.empty()) return printed_graph_.text();
  const auto& scheduled = targets_.at(target).scheduled;
  auto found = scheduled.find(kernel);
  if (found == scheduled.end()) return Fail(Code::kNotFound, "no kernel '", kernel, "'");
  return Guard("printing a kernel", [&] { return Script(found->second.function); });
}

}  // namespace mutatenn
