// `mutatenn verify`: is what a campaign was made of still what its store says? Recomputes hashes.
#include <filesystem>

#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"
#include "campaign/config.h"
#include "cli/campaign_use.h"

namespace mutatenn {
namespace {

class VerifyCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("DIR", folder_, "The campaign's folder")->required();
  }
  Result<int> Run(const GlobalOptions&) override {
    OpenCampaign open = TRY(OpenToRead(folder_));
    for (const ModelView& model : open.view.models) {
      CheckFile("model " + model.stored.name, model.stored.path, model.stored.hash);
      for (const StoredImage& image : model.images)
        CheckFile("image " + image.name, image.path, image.hash);
    }
    const std::string* text = open.view.Meta("config");
    const std::string* hash = open.view.Meta("config_hash");
    if (text && hash) {
      Config config = TRY(ConfigFromStore(TRY(ParseJson(*text, "the stored configuration"))));
      Count(config.hash == *hash, "configuration", "its hash is " + config.hash + ", not " + *hash);
    }
    fmt::print("{} hashes agree, {} do not\n", agree_, differ_);
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

  std::string folder_;
  int agree_ = 0, differ_ = 0;
};

SUBCOMMAND(VerifyCommand, .name = "verify", .order = 9,
           .summary = "Recompute the hashes of a campaign's model, images and configuration");

}  // namespace
}  // namespace mutatenn
