// The steps of a campaign and what they share. Internal to this room.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "campaign/campaign.h"

namespace mutatenn {

struct CampaignContext;

// session_use.cc: a loaded session and its chunk of images.
class LoadedDevice {
 public:
  LoadedDevice(LoadedDevice&&) = default;
  ~LoadedDevice();  // adds the session's figures to the campaign's
  static Result<LoadedDevice> Open(CampaignContext& context, const std::string& model,
                                   const DeviceConfig& device);
  // The session that context.kept holds for this model and device, else a new one. What is kept for
  // another is closed first: two workers at a time would be twice the memory budget.
  static Result<LoadedDevice> Take(CampaignContext& context, const std::string& model,
                                   const DeviceConfig& device);
  Session& session() { return *session_; }
  // Images at a time that the memory budget has room for.
  int chunk_images() const { return chunk_images_; }
  // Loads these images unless they are loaded, in whatever order; the originals' results are stored
  // where new.
  Status Use(const std::vector<StoredImage>& images);

 private:
  LoadedDevice(CampaignContext& context, std::string model, std::string device)
      : context_(&context), model_(std::move(model)), device_(std::move(device)) {}

  CampaignContext* context_;
  std::string model_, device_;
  std::unique_ptr<Session> session_;
  int chunk_images_ = 1;
  std::vector<std::string> loaded_;  // sorted
  std::map<std::string, StoredOriginal> originals_;
};

struct CampaignContext {
  const Config& config;
  const CampaignParts& parts;
  Store& store;
  Progress& progress;
  std::filesystem::path root;
  bool slow_oracle = false;
  bool full_matrix = false;
  std::vector<Json> targets;  // distinct, by target index
  std::map<std::string, int> target_of_device;
  CampaignOutcome outcome = {};
  double started_s = SecondsNow();
  // The session that ran the originals last, with its chunk: what the mutants need too.
  std::optional<LoadedDevice> kept = {};
};

// Keys of Store::Meta.
namespace meta {
inline constexpr const char* kCampaign = "campaign";            // id, from content
inline constexpr const char* kConfiguration = "configuration";  // normalised JSON
inline constexpr const char* kConfigurationHash = "configuration_hash";
inline constexpr const char* kToolVersion = "tool_version";
inline constexpr const char* kTvmVersion = "tvm_version";
inline constexpr const char* kRulesVersion = "rules_version";  // of the kill rules
inline constexpr const char* kCreated = "created_epoch";
inline constexpr const char* kMatrix = "matrix";                 // in force: "early" or "full"
inline constexpr const char* kOracle = "slow_oracle";            // "1" or "0"
inline constexpr const char* kRerunTimeouts = "rerun_timeouts";  // {model: {device: [mutant]}}
inline std::string Built(const std::string& model) { return "built:" + model; }
inline std::string Classes(const std::string& model) { return "classes:" + model; }
}  // namespace meta

// kUnavailable when the user asked to stop; CampaignOutcome::interrupted tells it from other
// errors.
Status CheckInterrupted(const CampaignContext& context);

// same_campaign.cc: refuses, by name, a change of what the store holds. Writes nothing.
struct FoundImages {
  std::map<std::string, std::vector<StoredImage>> of_model;  // position -1, no input file yet
  std::map<std::string, std::string> model_hash;
};
// images.cc: lists and hashes the user's models and images. Writes nothing.
Result<FoundImages> FindImages(const Config& config);
Status CheckSameCampaign(CampaignContext& context, const FoundImages& found, bool complete);
// Writes models, devices, targets and configuration; sets context.targets and full_matrix.
Status RecordCampaign(CampaignContext& context, const FoundImages& found, bool complete);
// The same members of the context from a store alone.
Status RecallCampaign(CampaignContext& context);
// images.cc: preprocesses what is new into inputs/<hash>.bin and stores it.
Status PrepareImages(CampaignContext& context, const ModelConfig& model, const FoundImages& found);
// build.cc
Status BuildModel(CampaignContext& context, const ModelConfig& model);
GeneratorOptions GeneratorFor(const CampaignContext& context, const ModelConfig& model);
// originals.cc: the original on a device over all images; then the order of images, once.
Status RunOriginals(CampaignContext& context, const std::string& model, const DeviceConfig& device);
Status FixImageOrder(CampaignContext& context, const std::string& model,
                     const std::string& first_device);
// execute.cc: every pending mutant of a model on a device.
Status RunMutants(CampaignContext& context, const std::string& model, const DeviceConfig& device);

// Runs `attempt` again after the loss of a worker, waiting longer each time; gives up after three
// losses without progress. `made_progress` says whether something was stored since it was last
// asked.
Status WithRestarts(CampaignContext& context, const std::string& what,
                    const std::function<Status()>& attempt,
                    const std::function<bool()>& made_progress);

}  // namespace mutatenn
