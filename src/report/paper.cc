// The campaign as the original tool's folders and files, one tree a model:
// DEST/MODEL/DEVICE/VARIANT/ mutations/ts_EPOCH_DEVICE0/IMAGE.txt, and its three kinds of
// comparison beside them. Only images that gave an output have a file, so that a crash looks as it
// did there: a folder without images.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/files.h"
#include "report/paper_tree.h"
#include "report/report.h"

namespace mutatenn {
namespace {

constexpr size_t kTopK = 5;  // lines of an image's file; its readers count on it

std::string DotsReplaced(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return AsFileName(name);
}

std::vector<PaperVariant> VariantsOf(const CampaignView& view, const ModelView& model) {
  std::string suffix = "_opt" + OptimisationLevel(view);
  std::vector<PaperVariant> variants;
  PaperVariant original{"model_original" + suffix, {}};
  for (const auto& device : model.originals) {
    PaperRun& run = original.devices.emplace_back();
    for (size_t i = 0; i < device.size(); ++i) {
      if (!device[i]) continue;
      run.started = true;
      run.outputs[static_cast<int>(i)] = {device[i]->top, device[i]->seconds};
      run.seconds += device[i]->seconds;
    }
  }
  variants.push_back(std::move(original));
  for (const MutantView& mutant : model.mutants) {
    PaperVariant variant{
        DotsReplaced(mutant.stored.op_id) + "_" + AsFileName(mutant.stored.id) + suffix, {}};
    for (const DeviceResult& result : mutant.devices) {
      PaperRun& run = variant.devices.emplace_back();
      run.started = !result.fates.empty();
      run.seconds = result.seconds.value_or(0);
      for (size_t i = 0; i < result.fates.size(); ++i) {
        const Fate& fate = result.fates[i];
        if (fate.ending == Ending::kOk) {
          run.outputs[result.outcomes[i].image] = {fate.top, fate.seconds};
        }
      }
    }
    variants.push_back(std::move(variant));
  }
  return variants;
}

// Without the extension and with dots replaced, as there; with it where two images would share a
// file.
std::vector<std::string> ImageFiles(const ModelView& model) {
  std::map<std::string, int> uses;
  auto stem = [](const std::string& name) { return DotsReplaced(name.substr(0, name.rfind('.'))); };
  for (const StoredImage& image : model.images) ++uses[stem(image.name)];
  std::vector<std::string> files;
  for (const StoredImage& image : model.images) {
    std::string base = stem(image.name);
    files.push_back((uses[base] > 1 ? DotsReplaced(image.name) : base) + ".txt");
  }
  return files;
}

std::string ImageText(const PaperOutput& output) {
  std::string text;
  for (size_t i = 0; i < std::min(output.top.size(), kTopK); ++i) {
    text += fmt::format("{}, {:.6f}\n", output.top[i].label, output.top[i].score);
  }
  return text + fmt::format("\n{:.6f}\n", output.seconds);
}

// One device's folders.
Status WriteImages(const PaperCampaign& campaign, size_t d, const std::string& root,
                   const std::string& epoch) {
  const std::string device = AsFileName(campaign.devices[d]);
  TRY(MakeDirectories(root + "/" + device));
  for (const PaperVariant& variant : campaign.variants) {
    const PaperRun& run = variant.devices[d];
    if (!run.started) continue;
    std::string folder =
        root + "/" + device + "/" + variant.name + "/mutations/ts_" + epoch + "_" + device + "0";
    TRY(MakeDirectories(folder));
    for (const auto& [image, output] : run.outputs) {
      TRY(WriteFile(folder + "/" + campaign.files[static_cast<size_t>(image)], ImageText(output)));
    }
    TRY(WriteFile(
        folder + "/execution_log.txt",
        fmt::format("Model {} execution time:  {} seconds\n", variant.name, run.seconds)));
  }
  return Ok();
}

Status WriteTree(const CampaignView& view, const ModelView& model, const std::string& destination) {
  PaperCampaign campaign{model.stored.name, {}, ImageFiles(model), VariantsOf(view, model)};
  for (const StoredDevice& device : view.devices) campaign.devices.push_back(device.name);
  const std::string* epoch = view.Meta("created_epoch");
  std::string root = destination + "/" + AsFileName(model.stored.name);
  TRY(MakeDirectories(root));
  for (size_t d = 0; d < view.devices.size(); ++d)
    TRY(WriteImages(campaign, d, root, AsFileName(epoch ? *epoch : "0")));
  return WritePaperComparisons(campaign, root);
}

Status WritePaper(const CampaignView& view, const std::string& destination) {
  if (destination == "-") {
    return Fail(Code::kInvalidInput, "the paper report is a tree of files: name a folder, not -");
  }
  for (const ModelView& model : view.models) TRY(WriteTree(view, model, destination));
  return Ok();
}

REPORT(.name = "paper", .summary = "the original tool's tree and files; a folder",
       .write = WritePaper, .tree = true, .keep_fates = true);

}  // namespace
}  // namespace mutatenn
