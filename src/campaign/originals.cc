// The original on a device over all images, in chunks; then the order of images, fixed once.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "campaign/steps.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace {

Result<std::vector<StoredImage>> ImagesWithoutOriginal(CampaignContext& context,
                                                       const std::string& model,
                                                       const std::string& device) {
  std::set<std::string> have;
  for (const StoredOriginal& original : TRY(context.store.Originals(model))) {
    if (original.device == device) have.insert(original.image);
  }
  std::vector<StoredImage> missing;
  for (StoredImage& image : TRY(context.store.Images(model))) {
    if (!have.count(image.name)) missing.push_back(std::move(image));
  }
  return missing;
}

}  // namespace

Status StartOriginals(CampaignContext& context, const std::string& model,
                      const DeviceConfig& device) {
  if (context.config.jobs < 2) return Ok();
  std::vector<StoredImage> missing = TRY(ImagesWithoutOriginal(context, model, device.name));
  if (missing.empty()) return Ok();
  TRY(CheckInterrupted(context));
  context.kept.reset();  // first: two workers at a time would be twice the memory budget
  context.kept.emplace(TRY(LoadedDevice::Start(context, model, device, missing)));
  return Ok();
}

Status RunOriginals(CampaignContext& context, const std::string& model,
                    const DeviceConfig& device) {
  size_t last_missing = TRY(ImagesWithoutOriginal(context, model, device.name)).size();
  if (last_missing == 0) return Ok();
  context.progress.Begin("running " + model + " on " + device.name,
                         static_cast<int64_t>(last_missing));
  auto attempt = [&]() -> Status {
    std::vector<StoredImage> missing = TRY(ImagesWithoutOriginal(context, model, device.name));
    if (!context.kept || !context.kept->Is(model, device.name)) {
      context.kept.reset();
      context.kept.emplace(TRY(LoadedDevice::Start(context, model, device, missing)));
    }
    LoadedDevice loaded = TRY(LoadedDevice::Take(context, model, device));
    auto chunk = static_cast<size_t>(loaded.chunk_images());
    for (size_t i = 0; i < missing.size(); i += chunk) {
      TRY(CheckInterrupted(context));
      size_t end = std::min(missing.size(), i + chunk);
      TRY(loaded.Use(
          {missing.begin() + static_cast<long>(i), missing.begin() + static_cast<long>(end)}));
      context.progress.Count(static_cast<int64_t>(end - i));
    }
    context.kept.emplace(std::move(loaded));
    return Ok();
  };
  auto made_progress = [&] {
    Result<std::vector<StoredImage>> missing = ImagesWithoutOriginal(context, model, device.name);
    bool less = missing.ok() && missing->size() < last_missing;
    if (less) last_missing = missing->size();
    return less;
  };
  Status status = WithRestarts(context, device.name, attempt, made_progress);
  context.progress.End();
  TRY(status);
  std::string finding = TRY(FindingOf(context.store, model, device.name));
  return finding.empty() ? Ok() : TellFinding(context, finding);
}

Status FixImageOrder(CampaignContext& context, const std::string& model,
                     const std::string& first_device) {
  std::map<std::string, double> margin;
  for (const StoredOriginal& original : TRY(context.store.Originals(model))) {
    if (original.device != first_device) continue;
    std::string where = "the stored original on " + original.image;
    margin[original.image] =
        Margin(TRY(TopFromJson(TRY(ParseJson(original.top_json, where)), where)));
  }
  std::vector<StoredImage> images = TRY(context.store.Images(model));
  std::vector<StoredImage*> open;
  int next = 0;
  for (StoredImage& image : images) {
    if (image.position < 0) {
      open.push_back(&image);
    } else {
      next = std::max(next, image.position + 1);
    }
  }
  if (open.empty()) return Ok();
  for (const StoredImage* image : open) {
    if (!margin.count(image->name)) {
      return Fail(Code::kInternal, "the original did not run on ", image->name,
                  " before the order was asked for");
    }
  }
  // An image that the original hardly decides is the likeliest to show a mutant. Images that were
  // added later come behind those that mutants have been run on already.
  std::sort(open.begin(), open.end(), [&](const StoredImage* a, const StoredImage* b) {
    return std::pair(margin[a->name], a->name) < std::pair(margin[b->name], b->name);
  });
  for (StoredImage* image : open) image->position = next++;
  return context.store.PutImages(images);
}

}  // namespace mutatenn
