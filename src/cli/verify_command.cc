// `mutatenn verify`: is what a campaign was made of still what its store says? Recomputes hashes.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"
#include "campaign/config.h"
#include "campaign/steps.h"
#include "cli/campaign_use.h"
#include "tvm/libraries.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

// The configuration's folder, from a model's path there and where it was found; "" = not known.
fs::path BaseOf(const std::string& written, const std::string& found) {
  if (fs::path(written).is_absolute()) return "/";
  const std::string suffix = "/" + fs::path(written).lexically_normal().string();
  return found.ends_with(suffix) ? found.substr(0, found.size() - suffix.size()) : "";
}

class VerifyCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("DIR", folder_, "The campaign's folder")->required();
    app.add_option("--bundle", bundles_,
                   "Also that this file is a bundle that the campaign made, or results that it "
                   "imported; may be given several times");
  }
  Result<int> Run(const GlobalOptions&) override {
    std::unique_ptr<Store> store = TRY(OpenStore(folder_));
    for (const StoredModel& model : TRY(store->Models())) {
      CheckFile("model " + model.name, model.path, model.hash);
      for (const StoredImage& image : TRY(store->Images(model.name)))
        CheckFile("image " + image.name, image.path, image.hash);
    }
    std::optional<std::string> text = TRY(store->Meta(meta::kConfiguration));
    std::optional<std::string> hash = TRY(store->Meta(meta::kConfigurationHash));
    std::string cache = folder_ + "/cache";
    if (text && hash) {
      Config config = TRY(ConfigFromStore(TRY(ParseJson(*text, "the stored configuration"))));
      Count(config.hash == *hash, "configuration", "its hash is " + config.hash + ", not " + *hash);
      if (!config.cache.empty()) cache = config.cache;
      for (const ModelConfig& model : config.models) TRY(CheckLabels(*store, model));
    }
    TRY(CheckKernels(*store, cache));
    TRY(CheckPrograms(*store));
    TRY(CheckBundles(*store));
    fmt::print("{} hashes agree, {} do not\n", agree_, differ_);
    if (not_known_ > 0)
      fmt::print("{} libraries of kernels have no entry in {}: not checked\n", not_known_, cache);
    return differ_ == 0 ? 0 : kExitGateFailed;
  }

 private:
  void Count(bool agrees, const std::string& what, const std::string& problem) {
    ++(agrees ? agree_ : differ_);
    if (!agrees) fmt::print("{}: {}\n", what, problem);
  }
  void CheckFile(const std::string& what, const std::string& path, const std::string& hash) {
    Result<std::string> bytes = ReadFile(path);
    if (!bytes.ok()) return Count(false, what, bytes.error().message);
    Count(HashBytes(*bytes) == hash, what, path + " has other content than the campaign's");
  }

  // Classes of the images and names of the classes, which the store holds themselves.
  Status CheckLabels(Store& store, const ModelConfig& model) {
    std::string path;
    for (const StoredModel& stored : TRY(store.Models()))
      if (stored.name == model.name) path = stored.path;
    const fs::path base = BaseOf(model.path, path);
    if (base.empty()) return Ok();
    if (!model.images.truth.empty()) {
      const std::string truth = (base / model.images.truth).string();
      auto found = ListImages((base / model.images.path).string(), truth);
      std::map<std::string, int64_t> now;
      if (found.ok())
        for (const ImageFile& image : *found) now[image.name] = image.truth;
      int others = 0;
      for (const StoredImage& image : TRY(store.Images(model.name)))
        others += now.count(image.name) == 0 || now[image.name] != image.truth;
      Count(found.ok() && others == 0, "labels of " + model.name,
            found.ok() ? fmt::format("{} gives {} images another class", truth, others)
                       : found.error().message);
    }
    std::optional<std::string> names = TRY(store.Meta(meta::Classes(model.name)));
    if (model.classes.empty() || !names) return Ok();
    const std::string file = (base / model.classes).string();
    auto classes = ReadClasses(file);
    Count(classes.ok() && DumpJson(Json(*classes)) == *names, "class names of " + model.name,
          classes.ok() ? file + " has other names than the campaign's" : classes.error().message);
    return Ok();
  }

  // This program and its TVM against those that ran the campaign.
  Status CheckPrograms(Store& store) {
    if (const auto tool = TRY(store.Meta(meta::kToolHash))) {
      const std::string own = HashBytes(TRY(ReadFile("/proc/self/exe")));
      Count(own == *tool, "mutatenn",
            "this one has the hash " + own + ", the one that ran the campaign last " + *tool);
    }
    const auto text = TRY(store.Meta(meta::kTvmHashes));
    if (!text) return Ok();
    const Json known = TRY(ParseJson(*text, "the stored hashes of TVM")),
               own = TRY(TvmLibraryHashes());
    for (const auto& [library, hash] : known.items())
      Count(own.contains(library) && own[library] == hash, "TVM",
            library + " is not the one that the campaign was made with");
    return Ok();
  }

  Status CheckBundles(Store& store) {
    const auto events = TRY(store.Events());
    for (const std::string& file : bundles_) {
      Result<std::string> bytes = ReadFile(file);
      const std::string hash = bytes.ok() ? HashBytes(*bytes) : "";
      Count(bytes.ok() && std::any_of(events.begin(), events.end(),
                                      [&](const auto& event) {
                                        return (event.first == "bundle" ||
                                                event.first == "results imported") &&
                                               event.second.ends_with(", " + hash);
                                      }),
            "bundle",
            bytes.ok() ? file + " is none that the campaign made or imported"
                       : bytes.error().message);
    }
    return Ok();
  }

  // The libraries of all programs and mutants, by the sums that the cache keeps of them.
  Status CheckKernels(Store& store, const std::string& cache) {
    std::set<std::string> libraries;
    auto add = [&](const std::string& text) -> Status {
      if (text.empty()) return Ok();
      Json program = TRY(ParseJson(text, "a stored program"));
      const Json& edit = program.contains("edit") ? program["edit"] : program;
      if (!edit.is_object() || !edit.contains("kernels")) return Ok();
      for (const Json& kernel : edit["kernels"]) {
        const std::string library = kernel.value("library", "");
        if (!library.empty()) libraries.insert(library);
      }
      return Ok();
    };
    for (const StoredProgram& program : TRY(store.Programs())) TRY(add(program.program_json));
    for (const StoredModel& model : TRY(store.Models())) {
      TRY(store.EachBuild(model.name,
                          [&](const StoredBuild& build) { return add(build.program_json); }));
    }
    std::map<std::string, std::string> sums;
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(cache, error)) {
      if (entry.path().extension() != ".json") continue;
      Result<std::string> text = ReadFile(entry.path());
      Result<Json> json = text.ok() ? ParseJson(*text, "cache") : Result<Json>(text.error());
      if (json.ok() && json->is_object() && json->contains("library"))
        sums[json->value("library", "")] = json->value("sum", "");
    }
    for (const std::string& library : libraries) {
      auto sum = sums.find(fs::path(library).filename().string());
      if (sum == sums.end())
        ++not_known_;
      else
        CheckFile("kernels", folder_ + "/" + library, sum->second);
    }
    return Ok();
  }

  std::string folder_;
  std::vector<std::string> bundles_;
  int agree_ = 0, differ_ = 0, not_known_ = 0;
};

SUBCOMMAND(VerifyCommand, .name = "verify", .order = 9,
           .summary =
               "Recompute the hashes of a campaign's model, images, labels, kernels, "
               "configuration, tool and TVM");

}  // namespace
}  // namespace mutatenn
