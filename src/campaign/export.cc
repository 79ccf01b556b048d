// A stored mutant through the generator into a file: a module, a library, or a script with both
// networks, images and what the campaign found.
#include "campaign/export.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/files.h"
#include "base/scratch_folder.h"
#include "campaign/bundle.h"
#include "campaign/replay.h"

namespace mutatenn {
namespace {

// The images asked for, else the first one in image order that the mutant was run on, else the
// first one.
Result<std::vector<StoredImage>> ChooseImages(const StoredCampaign& campaign,
                                              const StoredMutant& mutant, const std::string& device,
                                              const ExportOptions& options) {
  std::vector<StoredImage> all = TRY(campaign.store->Images(mutant.model)), chosen;
  if (options.images.empty()) {
    std::set<std::string> run;
    for (const StoredFate& fate : TRY(campaign.store->FatesOf(mutant.model, mutant.id)))
      if (fate.device == device) run.insert(fate.image);
    const auto first = std::find_if(all.begin(), all.end(), [&](const StoredImage& image) {
      return run.count(image.name) > 0;
    });
    if (!all.empty()) chosen.push_back(first == all.end() ? all.front() : *first);
    return chosen;
  }
  for (const std::string& name : options.images) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const StoredImage& image) { return image.name == name; });
    if (found == all.end())
      return Fail(Code::kInvalidInput, options.folder, ": has no image '", name, "'");
    chosen.push_back(*found);
  }
  return chosen;
}

// For the script: python/mutatenn/script.py says what it holds.
Json ScriptStory(const Json& replay, const std::vector<StoredImage>& images,
                 const std::string& folder) {
  Json story = {{"model", replay["model"]},
                {"mutant", replay["mutant"]},
                {"operator", replay["operator"]},
                {"place", replay["place"]},
                {"device", replay["device"]["name"]},
                {"tvm", replay["versions"]["tvm"]},
                {"diff", replay["diff"]},
                {"images", Json::array()}};
  for (const StoredImage& image : images) {
    Json entry = {{"name", image.name},
                  {"file", std::filesystem::absolute(folder + "/" + image.input_file).string()}};
    if (const Json& known = replay["originals"]; known.contains(image.name))
      entry["original"] = known[image.name];
    if (const Json& known = replay["fates"]; known.contains(image.name)) {
      entry["mutant"] = known[image.name]["top"];
      entry["ending"] = known[image.name]["ending"];
    }
    story["images"].push_back(std::move(entry));
  }
  return story;
}

// A replay takes the code that was built for the device's target.
Status CheckRuns(const StoredCampaign& campaign, const StoredMutant& mutant,
                 const std::string& device) {
  std::string state = "not built";
  for (const StoredDevice& stored : TRY(campaign.store->Devices())) {
    if (stored.name != device) continue;
    const auto build = TRY(campaign.store->Build(mutant.model, mutant.id, stored.target_index));
    if (build) state = build->state;
  }
  if (state == "ok") return Ok();
  return Fail(Code::kUnsupported, "mutant ", mutant.id, " is ", state, " on ", device,
              ": there is no code of it to run");
}

Status Generate(const StoredCampaign& campaign, const ModelConfig& model,
                const DeviceConfig& device, const ExportRequest& request,
                const CampaignParts& parts) {
  const ScratchFolder folder = TRY(ScratchFolder::Make("export"));
  GeneratorOptions options = TRY(campaign.Generator(model, device.target, folder.path()));
  options.compile = false;
  return TRY(parts.start_generator(options))->Export(request);
}

}  // namespace

Status ExportMutant(const ExportOptions& options, const CampaignParts& parts) {
  const StoredCampaign campaign = TRY(OpenStoredCampaign(options.folder));
  const StoredMutant stored = TRY(campaign.FindMutant(options.mutant));
  const DeviceConfig& device = *TRY(campaign.Device(options.device));
  const ModelConfig& model = *TRY(campaign.Model(stored.model));
  const bool replay = options.as == "replay";
  if (replay) TRY(CheckRuns(campaign, stored, device.name));
  ExportRequest request;
  request.mutant = TRY(campaign.Rebuild(stored));
  request.file = std::filesystem::absolute(options.file).string();
  request.form = options.as == "library"  ? ExportForm::kLibrary
                 : options.as == "script" ? ExportForm::kScript
                                          : ExportForm::kModule;
  if (replay || request.form == ExportForm::kScript) {
    const std::vector<StoredImage> images =
        TRY(ChooseImages(campaign, stored, device.name, options));
    std::vector<std::string> names;
    for (const StoredImage& image : images) names.push_back(image.name);
    Json story = TRY(ReplayOf(campaign, stored, device, names));
    request.story = ScriptStory(story, images, options.folder);
    if (replay) {
      const ScratchFolder folder = TRY(ScratchFolder::Make("export"));
      request.form = ExportForm::kScript;
      request.file = folder.path() + "/script.py";
      // A replay does without it where the model is gone, or its level has none.
      const Status script = Generate(campaign, model, device, request, parts);
      if (script.ok())
        story["script"] = TRY(ReadFile(request.file));
      else
        story["no_script"] = script.error().message;
      return WriteBundle({.folder = options.folder,
                          .device = device.name,
                          .file = options.file,
                          .worker = options.worker,
                          .model = stored.model,
                          .mutant = stored.id,
                          .images = names,
                          .replay = story});
    }
  }
  return Generate(campaign, model, device, request, parts);
}

}  // namespace mutatenn
