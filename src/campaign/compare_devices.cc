// From a configuration to two loaded sessions for each model, and the result as JSON.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "base/files.h"
#include "base/nearest.h"
#include "base/scratch_folder.h"
#include "campaign/bisect.h"
#include "campaign/compare.h"
#include "campaign/explain.h"
#include "compile/rebuild.h"

namespace mutatenn {
namespace {

Result<SideSpec> ParseSide(const Config& config, const std::string& text) {
  SideSpec side{.text = text, .level = config.level};
  if (text.ends_with(".npz") || text.ends_with(".so")) {
    side.kind = text.ends_with(".so") ? SideSpec::Kind::kLibrary : SideSpec::Kind::kRecorded;
    std::error_code ignored;
    if (!std::filesystem::exists(text, ignored))
      return Fail(Code::kNotFound, text, ": no such file");
    return side;
  }
  std::string name = text.substr(0, text.find('~'));
  const std::vector<std::string> passes = CpuPasses();
  for (size_t at = name.size(); at < text.size();) {
    const size_t end = std::min(text.find('~', at + 1), text.size());
    const std::string pass = text.substr(at + 1, end - at - 1);
    if (std::find(passes.begin(), passes.end(), pass) == passes.end())
      return Fail(Code::kInvalidInput, "'", text, "': '", pass, "' is no lowering pass",
                  DidYouMean(pass, passes));
    side.dropped.push_back(pass);
    at = end;
  }
  if (const size_t at = name.rfind('@'); at != std::string::npos) {
    const std::string level = name.substr(at + 1);
    name.resize(at);
    if (level != "2" && level != "3")
      return Fail(Code::kInvalidInput, "'", text, "': the level behind @ must be 2 or 3");
    side.level = level[0] - '0';
  }
  std::vector<std::string> names;
  for (const DeviceConfig& device : config.devices) {
    names.push_back(device.name);
    if (device.name != name) continue;
    side.device = device;
    // Level 2 is level 3 without these.
    if (side.level == 2)
      for (const char* pass : {kSchedulePass, kNormalizePass})
        if (std::find(side.dropped.begin(), side.dropped.end(), pass) == side.dropped.end())
          side.dropped.insert(side.dropped.begin(), pass);
    return side;
  }
  return Fail(Code::kInvalidInput, config.file, ": has no device '", name, "'",
              DidYouMean(name, names));
}

// JSON has no infinity; what is not known is null.
Json Number(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isfinite(value)) return value;
  return "inf";
}

// One generator a level, with the targets of the sides that want it.
class Programs {
 public:
  Programs(const Config& config, const ModelConfig& model, const CampaignParts& parts,
           std::string folder)
      : config_(config), model_(model), parts_(parts), folder_(std::move(folder)) {}

  Status Compile(const std::vector<SideSpec>& sides) {
    std::map<int, std::vector<std::string>> targets;
    for (const SideSpec& side : sides) {
      if (side.kind != SideSpec::Kind::kDevice) continue;
      auto& of_level = targets[side.level];
      const std::string text = TargetText(side.device.target);
      if (std::find(of_level.begin(), of_level.end(), text) == of_level.end())
        of_level.push_back(text);
    }
    for (const auto& [level, texts] : targets) {
      const std::string root = folder_ + "/programs" + std::to_string(++roots_);
      TRY(MakeDirectories(root));
      const std::shared_ptr<Generator> generator = TRY(parts_.start_generator(
          {model_.name, model_.path, texts, level, root, config_.cache, config_.jobs}));
      for (size_t i = 0; i < texts.size(); ++i)
        compiled_[{level, texts[i]}] = {generator, static_cast<int>(i), root};
    }
    return Ok();
  }

  TensorType InputType() const {
    const Program& any = compiled_.begin()->second.generator->info().programs.at(0);
    return any.values[static_cast<size_t>(any.inputs[0])].type;
  }

  Result<Side> Open(const SideSpec& spec) {
    const Compiled& compiled = compiled_.at({spec.level, TargetText(spec.device.target)});
    Side side;
    side.name = spec.text;
    side.generator = compiled.generator;
    side.target = compiled.target;
    side.dropped = spec.dropped;
    side.program = side.generator->info().programs.at(static_cast<size_t>(side.target));
    LoadRequest& request = side.request;
    request.root = compiled.root;
    request.memory_budget_bytes = spec.device.memory_budget_mb << 20;
    request.top_k = config_.top_k;
    request.scratch = folder_ + "/scratch";
    TRY(MakeDirectories(request.scratch));
    if (spec.text.find('~') != std::string::npos)
      side.program = TRY(Result<Program>(TRY(Rebuild(side, {Rebuilding{}})).at(0)).With(spec.text));
    request.program = side.program;
    side.timeout_s = spec.device.timeout_s;
    side.session = TRY(parts_.open_session(spec.device, request.scratch).With(spec.text));
    TRY(side.session->Load(request).With(spec.text));
    return side;
  }

  // The network on this machine's CPU, where neither side can measure floors.
  Result<Side> Here() {
    SideSpec spec{.text = "this machine's CPU", .level = config_.level};
    spec.device.target = {{"kind", "llvm"}};
    spec.device.session = {{"kind", "local"}};
    TRY(Compile({spec}));
    return Open(spec);
  }

 private:
  const Config& config_;
  const ModelConfig& model_;
  const CampaignParts& parts_;
  std::string folder_;
  int roots_ = 0;
  struct Compiled {
    std::shared_ptr<Generator> generator;
    int target = 0;
    std::string root;
  };
  std::map<std::pair<int, std::string>, Compiled> compiled_;  // by level and target
};

}  // namespace

Result<std::vector<SideSpec>> ParseSides(const Config& config, const std::string& text) {
  std::vector<SideSpec> sides;
  if (text.empty()) {
    if (config.devices.size() < 2)
      return Fail(Code::kInvalidInput, config.file,
                  ": has one device; name two sides with --devices (NAME@2 is the same device "
                  "without schedules)");
    for (size_t i = 0; i < 2; ++i) sides.push_back(TRY(ParseSide(config, config.devices[i].name)));
    return sides;
  }
  const size_t comma = text.find(',');
  if (comma == std::string::npos || text.find(',', comma + 1) != std::string::npos)
    return Fail(Code::kInvalidInput, "--devices ", text, ": give two sides, A,B");
  sides.push_back(TRY(ParseSide(config, text.substr(0, comma))));
  sides.push_back(TRY(ParseSide(config, text.substr(comma + 1))));
  if (std::all_of(sides.begin(), sides.end(),
                  [](const SideSpec& s) { return s.kind != SideSpec::Kind::kDevice; }))
    return Fail(Code::kInvalidInput, "--devices ", text, ": one of the sides must be a device");
  return sides;
}

Result<std::vector<Comparison>> CompareDevices(const Config& config, const CompareOptions& options,
                                               const CampaignParts& parts, Progress& progress) {
  const std::vector<SideSpec> specs = TRY(ParseSides(config, options.sides));
  std::vector<Comparison> comparisons;
  for (const ModelConfig& model : config.models) {
    const ScratchFolder folder = TRY(ScratchFolder::Make("compare"));
    std::vector<ImageFile> images = TRY(ListImages(model.images.path, model.images.truth));
    if (images.empty())
      return Fail(Code::kInvalidInput, model.images.path, ": holds no JPEG, PNG or BMP file");
    if (options.images > 0 && options.images < std::ssize(images))
      images.resize(static_cast<size_t>(options.images));
    progress.Info("importing and compiling " + model.name);
    Programs programs(config, model, parts, folder.path());
    TRY(programs.Compile(specs));
    std::vector<std::string> names;
    for (const ImageFile& image : images) names.push_back(image.name);
    auto open = [&](const SideSpec& spec) -> Result<Side> {
      if (spec.kind == SideSpec::Kind::kRecorded) return OpenRecorded(spec.text, names);
      if (spec.kind == SideSpec::Kind::kLibrary)
        return OpenLibrary(spec.text, programs.InputType());
      return programs.Open(spec);
    };
    Side a = TRY(open(specs[0]));
    Side b = TRY(open(specs[1]));
    auto read = [&](int i) -> Result<CompareInput> {
      const ImageFile& image = images[static_cast<size_t>(i)];
      const ImageTensor tensor = TRY(LoadImage(image.path, model.preprocessing));
      return CompareInput{image.name, std::string(reinterpret_cast<const char*>(tensor.data.data()),
                                                  tensor.data.size() * sizeof(float))};
    };
    if (!a.outputs && !b.outputs) {
      progress.Info("measuring rounding floors");
      const int wanted = std::min(std::max(config.floors, 1), static_cast<int>(images.size()));
      std::vector<ImageInput> inputs;
      for (int i = 0; i < wanted; ++i) {
        const CompareInput input = TRY(read(i));
        inputs.push_back({input.name, fmt::format("{}/input{}.bin", folder.path(), i)});
        TRY(WriteFile(inputs.back().file, input.bytes));
      }
      for (Side* side : {&a, &b}) TRY(MeasureSideFloors(*side, inputs).With(side->name));
      if (a.floors.empty() && b.floors.empty()) {
        Side here = TRY(programs.Here());
        TRY(MeasureSideFloors(here, inputs).With("rounding floors of this machine's CPU"));
        a.floors = here.floors;
      }
    }
    Comparison found = TRY(CompareSides(a, b, static_cast<int>(images.size()), read, progress));
    const bool asked = options.explain || options.bisect;
    if (asked && found.first >= 0 && !found.outputs_only &&
        found.steps[static_cast<size_t>(found.first)].died.empty()) {
      const ComparedStep& step = found.steps[static_cast<size_t>(found.first)];
      const auto at = std::find(names.begin(), names.end(), step.image);
      const CompareInput input = TRY(read(static_cast<int>(at - names.begin())));
      if (options.explain)
        found.explanation =
            std::make_shared<Explanation>(TRY(Explain(a, b, found, found.first, input, progress)));
      if (options.bisect)
        found.bisection =
            std::make_shared<Bisection>(TRY(Bisect(a, b, found, found.first, input, progress)));
    }
    comparisons.push_back(std::move(found));
  }
  return comparisons;
}

Json ToJson(const Comparison& comparison) {
  Json steps = Json::array();
  for (const ComparedStep& step : comparison.steps)
    steps.push_back({{"step", step.name},
                     {"role", step.role},
                     {"layers", step.layers},
                     {"steps_b", step.steps_b},
                     {"total", ToJson(step.total)},
                     {"growth", step.growth},
                     {"local", ToJson(step.local)},
                     {"image", step.image},
                     {"floor", Number(step.floor)},
                     {"excess", Number(step.excess)},
                     {"diverges", step.diverges()},
                     {"died", step.died.empty() ? Json() : Json(step.died)}});
  Json first = nullptr;
  if (comparison.first >= 0) first = comparison.steps[static_cast<size_t>(comparison.first)].name;
  Json json = {{"model", comparison.model},   {"a", comparison.a},
               {"b", comparison.b},           {"outputs_only", comparison.outputs_only},
               {"images", comparison.images}, {"labels_differ", comparison.labels_differ},
               {"first_diverging", first},    {"steps", steps}};
  if (comparison.explanation != nullptr) json["explanation"] = ToJson(*comparison.explanation);
  if (comparison.bisection != nullptr) json["bisection"] = ToJson(*comparison.bisection);
  return json;
}

}  // namespace mutatenn
