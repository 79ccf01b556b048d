// The steps of a campaign and what they share. Internal to this room.
#pragma once

#include <chrono>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "campaign/campaign.h"
#include "campaign/repeats.h"

namespace mutatenn {

struct CampaignContext;

// What a session answered until its device could be used.
struct ReadyDevice {
  LoadReply reply;
  int chunk_images = 1;
  std::vector<std::string> images;  // sorted; the original ran on them
  std::vector<OriginalRun> runs;
  std::vector<ImageRepeats> repeats;
  std::vector<StepFloor> floors;
};

// session_use.cc: a loaded session and its chunk of images.
class LoadedDevice {
 public:
  LoadedDevice(LoadedDevice&&) = default;
  ~LoadedDevice();  // waits for Start's work; adds the session's figures to the campaign's
  // Opens a session whose worker loads the program and runs the original on the first chunk of
  // `images`, while the caller does something else (a thread waits for the worker; it touches the
  // session alone, so neither store nor progress). Take gives the device, or what went wrong.
  static Result<LoadedDevice> Start(CampaignContext& context, const std::string& model,
                                    const DeviceConfig& device,
                                    const std::vector<StoredImage>& images);
  // Whether Start's work is done.
  bool ready() const {
    return !under_way_.valid() ||
           under_way_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  static Result<LoadedDevice> Open(CampaignContext& context, const std::string& model,
                                   const DeviceConfig& device);
  // The session that context.kept holds for this model and device, else a new one. What is kept for
  // another is closed first: two workers at a time would be twice the memory budget.
  static Result<LoadedDevice> Take(CampaignContext& context, const std::string& model,
                                   const DeviceConfig& device);
  bool Is(const std::string& model, const std::string& device) const {
    return model_ == model && device_ == device;
  }
  Session& session() { return *session_; }
  // Images at a time that the memory budget has room for.
  int chunk_images() const { return ready_.chunk_images; }
  // Loads these images unless they are loaded, in whatever order; the originals' results are stored
  // where new.
  Status Use(const std::vector<StoredImage>& images);
  // What the session has to say about its device becomes events of the campaign.
  Status Note();

 private:
  LoadedDevice(CampaignContext& context, std::string model, std::string device)
      : context_(&context), model_(std::move(model)), device_(std::move(device)) {}

  Result<LoadRequest> Prepare(const DeviceConfig& device);
  Status Settle(Result<ReadyDevice> ready);

  CampaignContext* context_;
  std::string model_, device_;
  std::unique_ptr<Session> session_;
  std::future<Result<ReadyDevice>> under_way_;  // of Start
  ReadyDevice ready_;
  std::vector<std::string> loaded_;  // sorted
  std::map<std::string, StoredOriginal> originals_;
  bool bitwise_ = false;                     // it is of a group
  std::optional<FloorRequest> open_floors_;  // not measured yet
  std::set<std::string> noisy_;              // images on which the device does not repeat itself
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
  // The session that runs the originals, or ran them last, with its chunk: what the mutants need
  // too.
  std::optional<LoadedDevice> kept = {};
  std::pair<std::string, std::unique_ptr<Session>> opened = {};  // by OpenEarly: device, session
};

// session_use.cc: begins to connect to the first device's servers, where these are by address and
// their originals have still to run: the greeting takes several ways there and back, and the
// campaign has other things to do meanwhile. What goes wrong is told when the session is used.
void OpenEarly(CampaignContext& context);
// campaign.cc: what the user has to know, as a warning and an event; once, however often it is
// found.
Status TellFinding(CampaignContext& context, const std::string& finding);

// Keys of Store::Meta.
namespace meta {
inline constexpr const char* kCampaign = "campaign";            // id, from content
inline constexpr const char* kConfiguration = "configuration";  // normalised JSON
inline constexpr const char* kConfigurationHash = "configuration_hash";
inline constexpr const char* kToolVersion = "tool_version";
inline constexpr const char* kToolHash = "tool_hash";  // of the program that wrote it last
inline constexpr const char* kTvmVersion = "tvm_version";
inline constexpr const char* kTvmHashes = "tvm_hashes";  // JSON: library -> hash, when it was made
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
struct ModelBuild {
  std::string model, signature;
  std::unique_ptr<Generator> generator;  // null: everything is built
  std::vector<Mutant> mutants;           // the selected ones
  std::set<int> targets;                 // not built to their end
};
// Imports and compiles a model, enumerates and plans; does none of it where everything is built.
Result<ModelBuild> ImportModel(CampaignContext& context, const ModelConfig& model);
// The mutants that are missing for one target. After the last target the compiler is let go.
Status BuildMutants(CampaignContext& context, ModelBuild& build, int target);
GeneratorOptions GeneratorFor(const CampaignContext& context, const ModelConfig& model);
// originals.cc: the original on a device over all images; then the order of images, once. Start
// lets the worker begin while mutants are built; with one job there is no room for that.
Status StartOriginals(CampaignContext& context, const std::string& model,
                      const DeviceConfig& device);
Status RunOriginals(CampaignContext& context, const std::string& model, const DeviceConfig& device);
Status FixImageOrder(CampaignContext& context, const std::string& model,
                     const std::string& first_device);
// execute.cc: what a worker says of a mutant, as the store has it.
struct StoredDone {
  std::vector<StoredFate> fates;
  std::optional<StoredOutOfBounds> outside;
};
StoredDone StoredForm(const std::string& model, const std::string& device, const MutantDone& done);
// Every pending mutant of a model on a device.
Status RunMutants(CampaignContext& context, const std::string& model, const DeviceConfig& device);

// Runs `attempt` again after the loss of a worker, waiting longer each time; gives up after three
// losses without progress. `made_progress` says whether something was stored since it was last
// asked.
Status WithRestarts(CampaignContext& context, const std::string& what,
                    const std::function<Status()>& attempt,
                    const std::function<bool()>& made_progress);

}  // namespace mutatenn
