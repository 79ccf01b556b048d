// From the user's models and images to hashes, and to preprocessed tensors in inputs/<hash>.bin.
#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"
#include "campaign/steps.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

// What besides the file's content decides an input: a tensor is made again when any of it changes.
std::string PreprocessingText(const Preprocessing& pre) {
  Json json = {{"version", 1},         {"resize", pre.resize_short_side},
               {"crop", pre.crop},     {"channels", pre.channels},
               {"layout", pre.layout}, {"scale", pre.scale},
               {"mean", pre.mean},     {"std", pre.std}};
  return DumpJson(json);
}

}  // namespace

Result<FoundImages> FindImages(const Config& config) {
  FoundImages found;
  for (const ModelConfig& model : config.models) {
    found.model_hash[model.name] = HashBytes(TRY(ReadFile(model.path)));
    std::vector<StoredImage>& images = found.of_model[model.name];
    for (ImageFile& file : TRY(ListImages(model.images.path, model.images.truth))) {
      StoredImage image;
      image.model = model.name;
      image.name = file.name;
      image.path = file.path;
      image.hash = HashBytes(TRY(ReadFile(file.path)));
      image.truth = file.truth;
      images.push_back(std::move(image));
    }
    if (images.empty()) {
      return Fail(Code::kInvalidInput, model.images.path, ": holds no JPEG, PNG or BMP file");
    }
  }
  return found;
}

Status PrepareImages(CampaignContext& context, const ModelConfig& model, const FoundImages& found) {
  std::map<std::string, StoredImage> stored;
  for (StoredImage& image : TRY(context.store.Images(model.name))) stored[image.name] = image;
  TRY(MakeDirectories(context.root / "inputs"));
  const std::vector<StoredImage>& images = found.of_model.at(model.name);
  context.progress.Begin("preparing images of " + model.name, static_cast<int64_t>(images.size()));
  std::string preprocessing = PreprocessingText(model.preprocessing);
  std::vector<StoredImage> changed;
  for (StoredImage image : images) {
    TRY(CheckInterrupted(context));
    image.input_file = "inputs/" + HashBytes(image.hash + preprocessing) + ".bin";
    fs::path file = context.root / image.input_file;
    if (!fs::exists(file)) {
      ImageTensor tensor = TRY(LoadImage(image.path, model.preprocessing));
      TRY(WriteFile(file, {reinterpret_cast<const char*>(tensor.data.data()),
                           tensor.data.size() * sizeof(float)}));
    }
    auto before = stored.find(image.name);
    if (before != stored.end()) image.position = before->second.position;
    if (before == stored.end() || before->second.truth != image.truth ||
        before->second.path != image.path) {
      changed.push_back(std::move(image));
    }
    context.progress.Count();
  }
  context.progress.End();
  if (!changed.empty()) TRY(context.store.PutImages(changed));
  if (!model.classes.empty()) {
    TRY(context.store.SetMeta(meta::Classes(model.name),
                              DumpJson(Json(TRY(ReadClasses(model.classes))))));
  }
  return Ok();
}

}  // namespace mutatenn
