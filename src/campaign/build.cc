// Import, compile, enumerate, plan, and compile mutants, storing each as it comes. A model whose
// build is complete is not imported again: resuming a campaign's execution needs no compiler.
#include <set>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "campaign/plan.h"
#include "campaign/steps.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

// All that decides which builds a model needs.
std::string BuildSignature(const CampaignContext& context, const StoredModel& model) {
  const Config& config = context.config;
  Json content = {{"model", model.hash},
                  {"level", config.level},
                  {"seed", config.seed},
                  {"max_mutants", config.max_mutants},
                  {"slow", context.slow_oracle}};
  for (const Json& target : context.targets) content["targets"].push_back(TargetText(target));
  for (const OperatorUse& use : config.operators) content["operators"].push_back(OperatorKey(use));
  return HashBytes(DumpJson(content));
}

Error OtherCampaign(const CampaignContext& context, const std::string& what,
                    const std::string& before, const std::string& now) {
  return Fail(Code::kInvalidInput, context.root.string(),
              ": the campaign in this folder was built with ", what, " ", before, ", now it is ",
              now, "; take another --out");
}

Status CheckAndStoreImport(CampaignContext& context, const StoredModel& stored,
                           const GeneratorInfo& info) {
  Store& store = context.store;
  if (info.programs.size() != context.targets.size() ||
      info.canonical_targets.size() != context.targets.size()) {
    return Fail(Code::kInternal,
                "the generator returned another number of programs than there are targets");
  }
  if (!stored.graph_hash.empty() && stored.graph_hash != info.graph_hash) {
    return OtherCampaign(context, "graph hash", stored.graph_hash, info.graph_hash);
  }
  std::optional<std::string> tvm = TRY(store.Meta(meta::kTvmVersion));
  if (tvm && *tvm != info.tvm_version) return OtherCampaign(context, "TVM", *tvm, info.tvm_version);

  std::vector<StoredDevice> devices = TRY(store.Devices());
  for (StoredDevice& device : devices) {
    const std::string& target = info.canonical_targets[static_cast<size_t>(device.target_index)];
    if (!device.canonical_target.empty() && device.canonical_target != target) {
      return OtherCampaign(context, "device '" + device.name + "' as target",
                           device.canonical_target, target);
    }
    device.canonical_target = target;
  }
  StoredModel model = stored;
  model.graph_hash = info.graph_hash;
  Json layers = Json::array();
  for (const LayerInfo& layer : info.layers)
    layers.push_back(Json{{"name", layer.name}, {"op", layer.op}});
  model.layers_json = DumpJson(layers);
  std::vector<StoredProgram> programs;
  for (size_t i = 0; i < info.programs.size(); ++i) {
    programs.push_back({model.name, static_cast<int>(i), DumpJson(ToJson(info.programs[i]))});
  }
  TRY(store.PutModels({model}));
  TRY(store.PutDevices(devices));
  TRY(store.SetMeta(meta::kTvmVersion, info.tvm_version));
  return store.PutPrograms(programs);
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  return fmt::format("{}", fmt::join(shape, "x"));
}

// What preprocessing makes must be what the network takes.
Status CheckInput(CampaignContext& context, const ModelConfig& model, const Program& program) {
  std::string at = context.config.file + ": model '" + model.name + "': ";
  if (program.inputs.size() != 1) {
    return Fail(Code::kUnsupported, at,
                fmt::format("the network has {} inputs; only networks with one are supported",
                            program.inputs.size()));
  }
  const TensorType& type = program.values[static_cast<size_t>(program.inputs[0])].type;
  if (type.dtype != "float32") {
    return Fail(Code::kUnsupported, at, "the network's input is of type ", type.dtype,
                "; only float32 is supported");
  }
  const Preprocessing& pre = model.preprocessing;
  for (const StoredImage& image : TRY(context.store.Images(model.name))) {
    std::error_code error;
    auto bytes = static_cast<int64_t>(fs::file_size(context.root / image.input_file, error));
    bool shape_fits =
        pre.crop == 0 || type.shape.size() != 4 ||
        type.shape == (pre.layout == "NCHW" ? std::vector<int64_t>{1, 3, pre.crop, pre.crop}
                                            : std::vector<int64_t>{1, pre.crop, pre.crop, 3});
    if (error || bytes != type.Bytes() || !shape_fits) {
      return Fail(Code::kInvalidInput, at, "preprocessing makes ",
                  pre.crop > 0 ? fmt::format("a crop of {0}x{0} in {1}", pre.crop, pre.layout)
                               : fmt::format("{} numbers of {}", bytes / 4, image.name),
                  ", the network takes ", ShapeText(type.shape),
                  "; change preprocessing.crop or layout");
    }
  }
  return Ok();
}

Status StorePlan(CampaignContext& context, const std::string& model, const Plan& plan) {
  std::map<std::string, bool> before;  // id -> selected
  for (const StoredMutant& mutant : TRY(context.store.Mutants(model)))
    before[mutant.id] = mutant.selected;
  bool changed = before.size() != plan.mutants.size();
  std::vector<StoredMutant> mutants;
  for (const PlannedMutant& planned : plan.mutants) {
    const Mutant& mutant = planned.mutant;
    auto known = before.find(mutant.id);
    changed |= known == before.end() || known->second != planned.selected;
    Json points = Json::array();
    for (const MutationPoint& point : mutant.points) points.push_back(point.ToJson());
    Json use = {{"id", mutant.use.id},
                {"parameters", mutant.use.parameters},
                {"positions", mutant.use.positions}};
    if (!mutant.use.scope.empty()) use["scope"] = mutant.use.scope;
    mutants.push_back({model, mutant.id, mutant.use.id, OperatorKey(mutant.use), mutant.category,
                       LevelName(mutant.level), mutant.place, DumpJson(points), DumpJson(use),
                       planned.selected});
  }
  TRY(context.store.PutPoints(plan.points));
  TRY(context.store.PutOperatorUses(plan.uses));
  // Put all or none, so that the order of insertion is the plan's.
  if (changed) TRY(context.store.PutMutants(mutants));
  return Ok();
}

Status StoreBuild(CampaignContext& context, const std::string& model, int target,
                  const Program& original, const BuiltMutant& done) {
  bool ok = done.state == "ok";
  CampaignStats& stats = context.outcome.stats;
  ++stats.mutants_built;
  stats.mutants_cached += done.cached;
  stats.equivalent += done.state == "equivalent";
  stats.stillborn += done.state == "stillborn";
  stats.link_s += done.link_s;
  stats.compile_s += done.seconds - done.link_s;
  TRY(context.store.PutBuilds(
      {{model, done.mutant, target, done.state, done.reason,
        ok ? DumpJson(ToJson(done.program)) : "", done.diff, done.ir_kind, done.seconds}}));
  // Without it, the mutant is run although another one runs the same.
  if (ok)
    TRY(context.store.PutCodes(
        {{model, done.mutant, target, TRY(RunsAs(done.program, original))}}));
  context.progress.Count();
  return Ok();
}

}  // namespace

GeneratorOptions GeneratorFor(const CampaignContext& context, const ModelConfig& model) {
  GeneratorOptions options;
  options.model_name = model.name;
  options.model_path = model.path;
  for (const Json& target : context.targets) options.targets.push_back(TargetText(target));
  options.level = context.config.level;
  options.root = context.root.string();
  options.jobs = context.config.jobs;
  if (context.slow_oracle) {
    options.batch = 1;  // and no cache: nothing is shared
  } else {
    options.cache =
        context.config.cache.empty() ? (context.root / "cache").string() : context.config.cache;
  }
  return options;
}

Result<ModelBuild> ImportModel(CampaignContext& context, const ModelConfig& model) {
  ModelBuild build{model.name, "", nullptr, {}, {}};
  StoredModel stored;
  for (const StoredModel& entry : TRY(context.store.Models())) {
    if (entry.name == model.name) stored = entry;
  }
  build.signature = BuildSignature(context, stored);
  if (TRY(context.store.Meta(meta::Built(model.name))) == build.signature) {
    context.progress.Detail(model.name + ": all mutants are built");
    return build;
  }
  TRY(CheckInterrupted(context));
  context.progress.Info("importing and compiling " + model.name);
  CampaignStats& stats = context.outcome.stats;
  {
    AddSeconds timer(stats.original_s);
    build.generator = TRY(context.parts.start_generator(GeneratorFor(context, model)));
  }
  AddSeconds timer(stats.build_s);
  const GeneratorInfo& info = build.generator->info();
  stats.import_s += info.import_s;
  stats.compile_s += info.generate_s - info.link_s;
  stats.link_s += info.link_s;
  stats.kernels_compiled += info.kernels_compiled;
  stats.kernels_cached += info.kernels_cached;
  context.progress.Detail(fmt::format(
      "{}: imported in {:.1f} s, {} kernels compiled and {} from the cache in {:.1f} s", model.name,
      info.import_s, info.kernels_compiled, info.kernels_cached, info.compile_s));
  TRY(CheckAndStoreImport(context, stored, info));
  TRY(CheckInput(context, model, info.programs.front()));

  SampleOptions sample{context.config.max_mutants, context.config.seed};
  for (const StoredMutant& mutant : TRY(context.store.Mutants(model.name))) {
    if (mutant.selected) sample.already.insert(mutant.id);
  }
  std::vector<PointsOfUse> points = TRY(build.generator->Points(context.config.operators));
  Plan plan = TRY(MakePlan(model.name, info.graph_hash, points, sample));
  TRY(StorePlan(context, model.name, plan));
  for (const StoredOperatorUse& use : plan.uses) {
    if (use.points == 0)
      context.progress.Warn(use.op_id + " finds no mutation point in " + model.name);
  }
  for (const PlannedMutant& planned : plan.mutants) {
    if (planned.selected) build.mutants.push_back(planned.mutant);
  }
  for (int target = 0; target < static_cast<int>(context.targets.size()); ++target)
    build.targets.insert(target);
  return build;
}

Status BuildMutants(CampaignContext& context, ModelBuild& build, int target) {
  if (build.targets.erase(target) == 0) return Ok();
  AddSeconds timer(context.outcome.stats.build_s);
  std::set<std::string> built, open;
  for (const StoredBuild& known : TRY(context.store.Builds(build.model))) {
    if (known.target_index == target) built.insert(known.mutant);
  }
  std::vector<Mutant> missing;
  for (const Mutant& mutant : build.mutants) {
    if (built.count(mutant.id)) continue;
    missing.push_back(mutant);
    open.insert(mutant.id);
  }
  const auto selected = static_cast<int64_t>(build.mutants.size());
  if (!missing.empty()) {
    context.progress.Begin(fmt::format("building mutants of {} for target {} of {}", build.model,
                                       target + 1, context.targets.size()),
                           selected, selected - static_cast<int64_t>(missing.size()));
    // A worker that runs the original meanwhile is one of the jobs.
    auto worker_busy = [&] { return context.kept && !context.kept->ready(); };
    bool shared = worker_busy();
    TRY(build.generator->SetJobs(context.config.jobs - shared));
    TRY(build.generator->Build(target, missing, [&](const BuiltMutant& done) -> Status {
      if (open.erase(done.mutant) == 0) {
        return Fail(Code::kInternal, "the generator returned mutant ", done.mutant,
                    ", which nobody asked for");
      }
      TRY(StoreBuild(context, build.model, target,
                     build.generator->info().programs.at(static_cast<size_t>(target)), done));
      if (shared && !worker_busy()) {
        shared = false;
        TRY(build.generator->SetJobs(context.config.jobs));
      }
      return CheckInterrupted(context);
    }));
    context.progress.End();
    if (!open.empty()) {
      return Fail(Code::kInternal,
                  fmt::format("the generator left {} mutants without an answer", open.size()));
    }
  }
  if (!build.targets.empty()) return Ok();
  build.generator.reset();  // its memory is the mutants' now
  return context.store.SetMeta(meta::Built(build.model), build.signature);
}

}  // namespace mutatenn
