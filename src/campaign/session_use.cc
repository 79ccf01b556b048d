// A device made ready: a session with the model's program loaded, and one chunk of images at a
// time.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/files.h"
#include "campaign/bitwise.h"
#include "campaign/floors.h"
#include "campaign/steps.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace {

constexpr int kLossesWithoutProgress = 3;
// Where a mutant stops at the first image that kills it, most never see the later ones. Memory that
// is touched for the first time costs more than a survivor's next process, so chunks are smaller
// than the budget allows; the next chunk uses the same memory.
constexpr int64_t kEarlyChunkBytes = 512 << 20;
// Of the mutants, how many run on an image under the early matrix: a fifth survive the first image,
// and mostly the others too.
constexpr double kEarlyShare = 0.2;

Result<Program> LoadProgram(CampaignContext& context, const std::string& model, int target) {
  for (const StoredProgram& program : TRY(context.store.Programs())) {
    if (program.model != model || program.target_index != target) continue;
    std::string where = "the stored program of " + model;
    return ProgramFromJson(TRY(ParseJson(program.program_json, where)));
  }
  return Fail(Code::kNotFound, context.root.string(), ": holds no program of ", model,
              "; run `mutatenn build` first");
}

// What the worker found out about its device is kept with it.
Status StoreDeviceFacts(CampaignContext& context, const std::string& name, const LoadReply& reply) {
  std::vector<StoredDevice> devices = TRY(context.store.Devices());
  bool changed = false;
  for (StoredDevice& device : devices) {
    if (device.name != name || (device.cpu == reply.cpu && device.tvm_version == reply.tvm_version))
      continue;
    device.cpu = reply.cpu;
    device.tvm_version = reply.tvm_version;
    changed = true;
  }
  if (!changed) return Ok();
  return context.store.PutDevices(devices);
}

std::vector<std::string> SortedNames(const std::vector<ImageInput>& images) {
  std::vector<std::string> names;
  for (const ImageInput& image : images) names.push_back(image.id);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<ImageInput> Inputs(const CampaignContext& context,
                               const std::vector<StoredImage>& images) {
  std::vector<ImageInput> inputs;
  for (const StoredImage& image : images)
    inputs.push_back({image.name, (context.root / image.input_file).string()});
  return inputs;
}

BeginRequest BeginningOf(LoadRequest load) {
  BeginRequest request;
  request.chunk_bytes = load.memory_budget_bytes;
  request.load = std::move(load);
  return request;
}

// Loads the program and runs the original on the first chunk of images. Also off the main thread.
Result<ReadyDevice> MakeReady(Session& session, const BeginRequest& request) {
  Begun begun = TRY(session.Begin(request));
  ReadyDevice ready{.reply = std::move(begun.reply), .chunk_images = begun.chunk_images};
  if (begun.runs.size() > request.images.size())
    return Fail(Code::kInternal, "the worker ran images that nobody asked for");
  ready.images = SortedNames(
      {request.images.begin(), request.images.begin() + static_cast<long>(begun.runs.size())});
  ready.repeats = TRY(SummarizeRepeats(begun.runs, std::move(begun.repeated)));
  ready.runs = std::move(begun.runs);
  ready.floors = std::move(begun.floors);
  return ready;
}

Result<std::unique_ptr<Session>> OpenedSession(CampaignContext& context, const DeviceConfig& device,
                                               const std::string& scratch) {
  auto opened = std::exchange(context.opened, {});
  if (opened.second != nullptr && opened.first == device.name) return std::move(opened.second);
  return context.parts.open_session(device, scratch);
}

}  // namespace

void OpenEarly(CampaignContext& context) {
  const DeviceConfig& device = context.config.devices.front();
  if (device.session.value("kind", "") != "remote" || device.session.value("server", "") == "tvm")
    return;
  const auto originals = context.store.Originals(context.config.models.front().name);
  if (!originals.ok() || !originals->empty()) return;
  auto session = context.parts.open_session(device, "");
  if (session.ok()) context.opened = {device.name, std::move(session).value()};
}

// Those of a worker that was lost are lost with it.
LoadedDevice::~LoadedDevice() {
  if (session_ == nullptr) return;
  if (under_way_.valid() &&
      under_way_.wait_for(std::chrono::seconds(0)) != std::future_status::deferred)
    under_way_.wait();
  Result<WorkerStats> stats = session_->Stats();
  if (stats.ok()) Add(*stats, &context_->outcome.stats.worker);
}

Result<LoadRequest> LoadedDevice::Prepare(const DeviceConfig& device) {
  CampaignContext& context = *context_;
  for (StoredOriginal& original : TRY(context.store.Originals(model_))) {
    if (original.device == device.name) originals_[original.image] = original;
  }
  for (const StoredRepeat& repeat : TRY(context.store.Repeats(model_)))
    if (repeat.device == device.name && IsNoisy(repeat)) noisy_.insert(repeat.image);
  bitwise_ = !device.bitwise.empty();
  open_floors_ = TRY(OpenFloors(context, model_, device.name));
  LoadRequest request;
  request.root = context.root.string();
  request.program = TRY(LoadProgram(context, model_, context.target_of_device.at(device.name)));
  request.memory_budget_bytes = device.memory_budget_mb << 20;
  if (!context.full_matrix)
    request.memory_budget_bytes = std::min(request.memory_budget_bytes, kEarlyChunkBytes);
  request.images = static_cast<int>(TRY(context.store.Images(model_)).size());
  const std::vector<StoredMutant> mutants = TRY(context.store.Mutants(model_));
  request.runs_per_image =
      static_cast<double>(std::ranges::count_if(mutants, &StoredMutant::selected)) *
      (context.full_matrix ? 1 : kEarlyShare);
  request.jobs = device.jobs;
  request.top_k = context.config.top_k;
  request.limits.factor = context.config.timeout_factor;
  request.limits.floor_s = context.config.timeout_floor_s;
  request.scratch = (context.root / "scratch" / std::to_string(::getpid())).string();
  TRY(MakeDirectories(request.scratch));
  return request;
}

Status LoadedDevice::Settle(Result<ReadyDevice> ready) {
  ready_ = TRY(std::move(ready));
  TRY(StoreDeviceFacts(*context_, device_, ready_.reply));
  context_->progress.Detail(
      fmt::format("{}: {}, {} images at a time", device_, ready_.reply.cpu, ready_.chunk_images));
  return Ok();
}

Result<LoadedDevice> LoadedDevice::Open(CampaignContext& context, const std::string& model,
                                        const DeviceConfig& device) {
  LoadedDevice loaded(context, model, device.name);
  LoadRequest request = TRY(loaded.Prepare(device));
  loaded.session_ = TRY(OpenedSession(context, device, request.scratch));
  TRY(loaded.Settle(MakeReady(*loaded.session_, BeginningOf(std::move(request)))));
  return loaded;
}

Result<LoadedDevice> LoadedDevice::Start(CampaignContext& context, const std::string& model,
                                         const DeviceConfig& device,
                                         const std::vector<StoredImage>& images) {
  LoadedDevice loaded(context, model, device.name);
  LoadRequest request = TRY(loaded.Prepare(device));
  // On this thread: the system ends a worker together with the thread that started it.
  Result<std::unique_ptr<Session>> session = OpenedSession(context, device, request.scratch);
  if (!session.ok()) {
    // A loss like any other: Take's caller starts the worker again.
    std::promise<Result<ReadyDevice>> failed;
    failed.set_value(session.error());
    loaded.under_way_ = failed.get_future();
    return loaded;
  }
  loaded.session_ = std::move(session).value();
  // Where the system has no thread left, the work is done when it is asked for.
  BeginRequest beginning = BeginningOf(std::move(request));
  beginning.images = Inputs(context, images);
  beginning.repeats = context.config.repeats;
  beginning.floors = loaded.open_floors_;
  beginning.floor_images = context.config.floors;
  loaded.under_way_ = std::async(std::launch::async | std::launch::deferred,
                                 [&session = *loaded.session_, beginning = std::move(beginning)] {
                                   return MakeReady(session, beginning);
                                 });
  return loaded;
}

Result<LoadedDevice> LoadedDevice::Take(CampaignContext& context, const std::string& model,
                                        const DeviceConfig& device) {
  std::optional<LoadedDevice> kept = std::exchange(context.kept, std::nullopt);
  if (kept && kept->Is(model, device.name)) {
    if (kept->under_way_.valid()) TRY(kept->Settle(kept->under_way_.get()));
    return std::move(*kept);
  }
  kept.reset();
  return Open(context, model, device);
}

Status LoadedDevice::Use(const std::vector<StoredImage>& images) {
  std::vector<ImageInput> inputs = Inputs(*context_, images);
  std::vector<std::string> names = SortedNames(inputs);
  if (names == loaded_) return Ok();
  loaded_.clear();
  std::vector<StoredOriginal> fresh;
  bool ran = names == ready_.images;  // by Start, and nothing since
  ready_.images.clear();
  std::vector<OriginalRun> runs = ran ? std::move(ready_.runs) : TRY(session_->SetImages(inputs));
  if (runs.size() != images.size()) {
    return Fail(Code::kInternal, "the worker ran ", std::to_string(runs.size()), " of ",
                std::to_string(images.size()), " images");
  }
  for (const OriginalRun& run : runs) {
    if (run.noisy && context_->config.repeats < 2)
      return Fail(Code::kUnsupported, "device '", device_, "': the original gives two results on ",
                  run.image, "; with \"repeats\" of 2 or more the campaign measures this noise");
    StoredOriginal original{model_, device_, run.image, DumpJson(TopToJson(run.top)), run.seconds};
    auto before = originals_.find(run.image);
    if (before == originals_.end()) {
      originals_[run.image] = original;
      fresh.push_back(std::move(original));
    } else if (before->second.top_json != original.top_json && !noisy_.contains(run.image)) {
      // Every fate is judged against the stored one; only a device that was seen not to repeat
      // itself may give another.
      return Fail(Code::kUnsupported, "device '", device_,
                  "': the original gave another result on ", run.image, " than before (",
                  before->second.top_json, " then, ", original.top_json,
                  " now); is this the machine that the campaign ran on?");
    }
  }
  if (!fresh.empty()) {
    std::vector<ImageRepeats> repeats =
        ran ? std::move(ready_.repeats)
            : TRY(RepeatOriginals(*session_, inputs, runs, context_->config.repeats));
    bool is_reference = device_ == context_->config.devices.front().name;
    TRY(StoreRepeats(context_->store, model_, device_, is_reference, repeats));
    for (const std::string& line : NoiseOfWorkers(repeats))
      TRY(context_->store.AddEvent("device", device_ + ": " + line));
    if (open_floors_) {
      std::vector<StepFloor> floors =
          ran ? std::move(ready_.floors)
              : TRY(MeasureFloors(*session_, *open_floors_, names, context_->config.floors));
      TRY(StoreFloors(context_->store, model_, device_, floors));
      open_floors_.reset();
    }
    if (bitwise_)
      TRY(StoreHashes(context_->store, model_, device_, TRY(HashOriginal(*session_, names))));
    TRY(context_->store.PutOriginals(fresh));
  }
  loaded_ = std::move(names);
  return Note();
}

Status LoadedDevice::Note() {
  for (const std::string& line : session_->TakeNotices()) {
    context_->progress.Warn(fmt::format("{}: {}", device_, line));
    TRY(context_->store.AddEvent("device", device_ + ": " + line));
  }
  for (const std::string& line : session_->TakeFindings())
    TRY(TellFinding(*context_, device_ + ": " + line));
  return Ok();
}

Status WithRestarts(CampaignContext& context, const std::string& what,
                    const std::function<Status()>& attempt,
                    const std::function<bool()>& made_progress) {
  for (int losses = 0;;) {
    Status status = attempt();
    if (status.ok() || status.error().code != Code::kUnavailable) return status;
    TRY(CheckInterrupted(context));
    if (made_progress()) losses = 0;
    if (++losses >= kLossesWithoutProgress) return status.error().With(what);
    double wait_s = 0.5 * static_cast<double>(1 << losses);
    context.progress.Warn(fmt::format("{}: {}; starting the worker again in {:.0f} s", what,
                                      status.error().message, wait_s));
    TRY(context.store.AddEvent("worker lost", what + ": " + status.error().message));
    context.parts.sleep(wait_s);
  }
}

}  // namespace mutatenn
