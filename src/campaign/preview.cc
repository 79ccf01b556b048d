// A campaign without running it: points, mutants, and a rough guess of time and disk.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "campaign/plan.h"
#include "campaign/steps.h"
#include "campaign/temporary_folder.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

// Measured on the quickstart example; orders of magnitude, not promises.
constexpr double kKernelBuild_s = 0.06;
constexpr double kGraphBuild_s = 0.3;
constexpr double kOperationsPerSecond = 1e10;  // a scheduled convolution on one core
constexpr double kRunOverhead_s = 0.01;        // fork, protocol, transaction
constexpr double kBuildBytes = 60e3;           // a library, its IR difference, its row
constexpr double kFateBytes = 600;

// Multiplications and additions of one image: every output element of a step reads its share of the
// step's largest weight.
double Operations(const Program& program) {
  double operations = 0;
  std::vector<int> unpacked(program.values.size());  // a weight as it was before it was laid out
  std::iota(unpacked.begin(), unpacked.end(), 0);
  for (const Step& step : program.steps) {
    if (step.outputs.empty()) continue;
    if (step.weight_only) {
      if (step.inputs.size() == 1)
        unpacked[static_cast<size_t>(step.outputs[0])] =
            unpacked[static_cast<size_t>(step.inputs[0])];
      continue;
    }
    double outputs =
        static_cast<double>(program.values[static_cast<size_t>(step.outputs[0])].type.Elements());
    double reads = 1;
    for (int input : step.inputs) {
      const int weight = unpacked[static_cast<size_t>(input)];
      const Value& value = program.values[static_cast<size_t>(weight)];
      if (value.kind != Value::Kind::kWeight || value.type.shape.size() < 2) continue;
      reads = std::max(reads, static_cast<double>(value.type.Elements()) /
                                  static_cast<double>(value.type.shape[0]));
    }
    operations += 2 * outputs * reads;
  }
  return operations;
}

}  // namespace

Result<std::vector<ModelPreview>> PreviewCampaign(const Config& config, const CampaignParts& parts,
                                                  Progress& progress) {
  std::vector<ModelPreview> previews;
  std::vector<std::string> targets;
  for (const DeviceConfig& device : config.devices) {
    std::string text = TargetText(device.target);
    if (std::find(targets.begin(), targets.end(), text) == targets.end()) targets.push_back(text);
  }
  for (const ModelConfig& model : config.models) {
    TemporaryFolder folder = TRY(TemporaryFolder::Make());
    ModelPreview preview;
    preview.model = model.name;
    preview.images =
        static_cast<int>(TRY(ListImages(model.images.path, model.images.truth)).size());
    progress.Info("importing and compiling " + model.name);
    GeneratorOptions options{model.name,    model.path,   targets,    config.level,
                             folder.path(), config.cache, config.jobs};
    std::unique_ptr<Generator> generator = TRY(parts.start_generator(options));
    const GeneratorInfo& info = generator->info();
    preview.points = TRY(generator->Points(config.operators));
    Plan plan = TRY(
        MakePlan(model.name, info.graph_hash, preview.points, {config.max_mutants, config.seed}));
    preview.uses = plan.uses;

    double graph = 0, kernel = 0;
    for (const PlannedMutant& planned : plan.mutants) {
      if (planned.selected) ++(planned.mutant.level == Level::kGraph ? graph : kernel);
    }
    auto target_count = static_cast<double>(targets.size());
    double run_s =
        info.programs.empty() ? 0 : Operations(info.programs.front()) / kOperationsPerSecond;
    // A mutant runs half the program on average, and under an early matrix stops after an image or
    // two.
    double images = config.matrix == "full" ? preview.images : std::min(preview.images, 2);
    double build_s = target_count * (graph * kGraphBuild_s + kernel * kKernelBuild_s) / config.jobs;
    double execute_s = 0;
    for (const DeviceConfig& device : config.devices) {
      execute_s += preview.images * run_s +
                   (graph + kernel) * images * (run_s / 2 + kRunOverhead_s) / device.jobs;
    }
    preview.seconds = info.import_s + info.compile_s + build_s + execute_s;
    preview.disk_bytes =
        folder.Bytes() + target_count * (graph + kernel) * kBuildBytes +
        static_cast<double>(config.devices.size()) * (graph + kernel) * images * kFateBytes;
    if (!info.programs.empty() && !info.programs.front().inputs.empty()) {
      const Program& program = info.programs.front();
      preview.disk_bytes +=
          preview.images *
          static_cast<double>(program.values[static_cast<size_t>(program.inputs[0])].type.Bytes());
    }
    previews.push_back(std::move(preview));
  }
  return previews;
}

}  // namespace mutatenn
