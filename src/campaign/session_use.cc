// A device made ready: a session with the model's program loaded, and one chunk of images at a
// time.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/files.h"
#include "campaign/steps.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace {

constexpr int kLossesWithoutProgress = 3;

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

}  // namespace

// Those of a worker that was lost are lost with it.
LoadedDevice::~LoadedDevice() {
  if (session_ == nullptr) return;
  Result<WorkerStats> stats = session_->Stats();
  if (stats.ok()) Add(*stats, &context_->outcome.stats.worker);
}

Result<LoadedDevice> LoadedDevice::Open(CampaignContext& context, const std::string& model,
                                        const DeviceConfig& device) {
  LoadedDevice loaded(context, model, device.name);
  for (StoredOriginal& original : TRY(context.store.Originals(model))) {
    if (original.device == device.name) loaded.originals_[original.image] = original;
  }
  LoadRequest request;
  request.root = context.root.string();
  request.program = TRY(LoadProgram(context, model, context.target_of_device.at(device.name)));
  request.memory_budget_bytes = device.memory_budget_mb << 20;
  request.jobs = device.jobs;
  request.top_k = context.config.top_k;
  request.limits.factor = context.config.timeout_factor;
  request.limits.floor_s = context.config.timeout_floor_s;
  request.scratch = (context.root / "scratch" / std::to_string(::getpid())).string();
  TRY(MakeDirectories(request.scratch));
  loaded.session_ = TRY(context.parts.open_session(device, request.scratch));
  LoadReply reply = TRY(loaded.session_->Load(request));
  TRY(StoreDeviceFacts(context, device.name, reply));
  if (reply.reference_bytes_per_image > 0) {
    int64_t images = request.memory_budget_bytes / reply.reference_bytes_per_image;
    loaded.chunk_images_ = static_cast<int>(std::clamp<int64_t>(images, 1, 1 << 20));
  } else {
    loaded.chunk_images_ = 1 << 20;
  }
  context.progress.Detail(
      fmt::format("{}: {}, {} images at a time", device.name, reply.cpu, loaded.chunk_images_));
  return loaded;
}

Result<LoadedDevice> LoadedDevice::Take(CampaignContext& context, const std::string& model,
                                        const DeviceConfig& device) {
  std::optional<LoadedDevice> kept = std::exchange(context.kept, std::nullopt);
  if (kept && kept->model_ == model && kept->device_ == device.name) return std::move(*kept);
  kept.reset();
  return Open(context, model, device);
}

Status LoadedDevice::Use(const std::vector<StoredImage>& images) {
  std::vector<std::string> names;
  std::vector<ImageInput> inputs;
  for (const StoredImage& image : images) {
    names.push_back(image.name);
    inputs.push_back({image.name, (context_->root / image.input_file).string()});
  }
  std::sort(names.begin(), names.end());
  if (names == loaded_) return Ok();
  loaded_.clear();
  std::vector<StoredOriginal> fresh;
  std::vector<OriginalRun> runs = TRY(session_->SetImages(inputs));
  if (runs.size() != images.size()) {
    return Fail(Code::kInternal, "the worker ran ", std::to_string(runs.size()), " of ",
                std::to_string(images.size()), " images");
  }
  for (const OriginalRun& run : runs) {
    StoredOriginal original{model_, device_, run.image, DumpJson(TopToJson(run.top)), run.seconds};
    auto before = originals_.find(run.image);
    if (before == originals_.end()) {
      originals_[run.image] = original;
      fresh.push_back(std::move(original));
    } else if (before->second.top_json != original.top_json) {
      // Every fate is judged against the stored one, so a device that does not repeat itself is no
      // device to compare.
      return Fail(Code::kUnsupported, "device '", device_,
                  "': the original gave another result on ", run.image, " than before (",
                  before->second.top_json, " then, ", original.top_json,
                  " now); is this the machine that the campaign ran on?");
    }
  }
  if (!fresh.empty()) TRY(context_->store.PutOriginals(fresh));
  loaded_ = std::move(names);
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
