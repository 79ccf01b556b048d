// Keeps the process that holds the device, gives it one mutant at a time, and turns what it says,
// or how it ends, into fates.
#include "worker/accelerator.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "base/files.h"
#include "device/remote.h"
#include "worker/device_executor.h"
#include "worker/executor.h"

namespace mutatenn {
namespace {

constexpr double kLoadSeconds = 300;    // a driver's start, a program's kernels, weights
constexpr double kImageSeconds = 300;   // of the original, where the device's compiler is at work
constexpr double kCompileSeconds = 30;  // for a mutant's kernels, beside what it may run
constexpr int kStarts = 3;              // in a row that may fail
constexpr size_t kAhead = 4;            // mutants that the process has at a time

}  // namespace

bool RunsOnAccelerator(const Program& program) {
  const auto target = ParseJson(program.target, "the program's target");
  const std::string kind = target.ok() && target->is_object() ? target->value("kind", "") : "";
  return kind == "opencl" || kind == "cuda";
}

Result<std::unique_ptr<Accelerator>> Accelerator::Load(const LoadRequest& request) {
  std::unique_ptr<Accelerator> loaded(new Accelerator(request));
  loaded->references_ = ::memfd_create("mutatenn-references", MFD_CLOEXEC);
  if (loaded->references_ < 0) return Fail(Code::kUnavailable, "no memory for references");
  TRY(loaded->Start());
  return loaded;
}

Accelerator::~Accelerator() {
  process_.reset();
  if (references_ >= 0) ::close(references_);
}

std::string Accelerator::ReferenceFile() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(references_);
}

Status Accelerator::Start() {
  process_.reset();
  ProcessOptions options;
  options.command = {"/proc/self/exe", "--accelerator", std::to_string(kChildSocket)};
  options.name = "the process that runs the device";
  // PoCL keeps what it compiles: that of a campaign's mutants is of no use to anybody else.
  if (!request_.scratch.empty() && ::getenv("POCL_CACHE_DIR") == nullptr) {
    const std::string cache = request_.scratch + "/pocl";
    TRY(MakeDirectories(cache));
    options.environment["POCL_CACHE_DIR"] = cache;
  }
  process_ = TRY(Process::Start(options));
  const Json loaded = TRY(Ask({{"op", "load"}, {"request", ToJson(request_)}}, kLoadSeconds));
  name_ = loaded.at("name").get<std::string>();
  reference_bytes_ = loaded.at("reference_bytes").get<int64_t>();
  if (runs_.empty()) return Ok();
  Json known = Json::array();
  for (const OriginalRun& run : runs_) known.push_back(ToJson(run));
  TRY(Ask(
      {{"op", "images"}, {"images", ToJson(images_)}, {"file", ReferenceFile()}, {"known", known}},
      kLoadSeconds));
  return Ok();
}

Result<Json> Accelerator::Ask(const Json& request, double limit_s) {
  TRY(process_->Send(request));
  auto answer = process_->Receive(limit_s);
  if (!answer.ok() && answer.error().code == Code::kTimeout) {
    process_->Kill();
    return Fail(Code::kUnavailable, "the device did not answer for ",
                std::to_string(static_cast<int>(limit_s)), " s");
  }
  return OpenReply(DumpJson(TRY(std::move(answer))));
}

Result<std::vector<OriginalRun>> Accelerator::SetImages(const std::vector<ImageInput>& images) {
  runs_.clear();
  images_ = images;
  if (process_->Poll()) TRY(Start());
  const Json runs = TRY(Ask({{"op", "images"},
                             {"images", ToJson(images)},
                             {"file", ReferenceFile()},
                             {"known", Json::array()}},
                            kImageSeconds * static_cast<double>(images.size() + 1)));
  runs_ = TRY(OriginalRunsFromJson(runs));
  return runs_;
}

Result<std::vector<std::vector<float>>> Accelerator::Outputs(const std::string& image) {
  if (!under_way_.empty()) return Fail(Code::kInvalidInput, "a mutant is under way");
  if (process_->Poll()) TRY(Start());
  return OutputsFromJson(TRY(Ask({{"op", "outputs"}, {"image", image}}, kImageSeconds)));
}

// Between mutants, about images that the process reads anew.
Result<Json> Accelerator::AskAside(Json request, double images) {
  if (!idle()) return Fail(Code::kInvalidInput, "a mutant is under way");
  if (process_ == nullptr || process_->Poll()) TRY(Start());
  request["images"] = ToJson(images_);
  return Ask(request, kLoadSeconds + kImageSeconds * images);
}

Result<Json> Accelerator::Floors(const Json& request) {
  return AskAside({{"op", "floors"}, {"request", request}},
                  static_cast<double>(request.at("images").size()));
}

Result<Json> Accelerator::Hashes(const Json& images) {
  return AskAside({{"op", "hashes"}, {"names", images}}, static_cast<double>(images.size()));
}

Result<Json> Accelerator::RunProbe(const Json& probe) {
  if (!under_way_.empty()) return Fail(Code::kInvalidInput, "a mutant is under way");
  if (process_->Poll()) TRY(Start());
  return Ask({{"op", "probe"}, {"probe", probe}}, kImageSeconds);
}

Status Accelerator::Submit(const std::vector<MutantJob>& jobs) {
  if (runs_.empty()) return Fail(Code::kInvalidInput, "no images are loaded");
  for (const MutantJob& job : jobs) {
    for (const std::string& image : job.images)
      if (std::none_of(runs_.begin(), runs_.end(),
                       [&](const OriginalRun& run) { return run.image == image; }))
        return Fail(Code::kInvalidInput, "mutant ", job.program.mutant, ": image '", image,
                    "' is not of the loaded chunk");
    auto task = std::make_unique<Task>();
    task->job = job;
    task->done.mutant = job.program.mutant;
    waiting_.push_back(std::move(task));
  }
  return Ok();
}

Status Accelerator::SendAhead() {
  if (process_ == nullptr || process_->Poll()) {
    if (!under_way_.empty()) return Ok();  // Collect will see to it
    Status started = Ok();
    for (int attempt = 0; process_ == nullptr || process_->Poll(); ++attempt) {
      if (attempt == kStarts)
        return Fail(Code::kUnavailable, "the device is lost: ", started.error().message);
      started = Start();
      if (!started.ok()) process_.reset();
    }
  }
  while (under_way_.size() < kAhead && !waiting_.empty()) {
    std::unique_ptr<Task> task = std::move(waiting_.front());
    waiting_.pop_front();
    if (task->next >= static_cast<int>(task->job.images.size())) {
      finished_.push_back(std::move(task->done));
      continue;
    }
    task->step.clear();
    task->first = true;
    task->batch = 1;
    if (under_way_.empty()) started_at_ = SecondsNow();
    const bool alone = task->alone >= 0;
    Status sent = process_->Send({{"op", "run"},
                                  {"job", ToJson(task->job)},
                                  {"next", task->next},
                                  {"largest", alone ? 1 : kLargestBatch}});
    under_way_.push_back(std::move(task));
    if (!sent.ok()) break;  // it ended: Collect will see that too
    if (alone) break;       // what may end the process takes no others with it
  }
  return Ok();
}

// Wall time for the images under way.
double Accelerator::Allowed() const {
  const Task& task = *under_way_.front();
  const int count = static_cast<int>(task.job.images.size());
  double limit = 0;
  for (int i = 0; i < task.batch; ++i) {
    const std::string& image =
        task.job.images[static_cast<size_t>(std::min(task.next + i, count - 1))];
    double original = 0;
    for (const OriginalRun& run : runs_)
      if (run.image == image) original = run.seconds;
    limit += request_.limits.wall_factor * CpuLimit(request_.limits, original);
  }
  return task.first ? limit + kCompileSeconds : limit;
}

// Time with mutants to run.
void Accelerator::CountTime() {
  const double now = SecondsNow();
  if (counted_at_ > 0) stats_.device_s += now - counted_at_;
  counted_at_ = waiting_.empty() && under_way_.empty() ? 0 : now;
}

Result<std::vector<MutantDone>> Accelerator::Collect(double wait_s) {
  const double until = SecondsNow() + wait_s;
  while (finished_.empty()) {
    CountTime();
    TRY(SendAhead());
    if (under_way_.empty()) break;
    const double left = started_at_ + Allowed() - SecondsNow();
    const double patience = std::max(0.0, until - SecondsNow());
    auto message = process_->Receive(std::max(0.0, std::min(left, patience)));
    if (message.ok()) {
      Answer(*message);
    } else if (message.error().code != Code::kTimeout) {
      auto status = process_->Wait(2.0);
      Failed(Ending::kCrashed, status.ok() ? "the device's process " + DescribeWaitStatus(*status)
                                           : message.error().message);
    } else if (started_at_ + Allowed() <= SecondsNow()) {
      process_->Kill();
      (void)process_->Wait(2.0);
      Failed(Ending::kTimeout, "over its wall time");
    } else if (SecondsNow() >= until) {
      break;
    }
  }
  CountTime();
  return std::exchange(finished_, {});
}

void Accelerator::Answer(const Json& message) {
  Task& task = current();
  if (message.contains("batch")) {
    task.batch = message["batch"].get<int>();
    task.step = message["step"].get<std::string>();
    started_at_ = SecondsNow();
    return;
  }
  if (message.contains("fates")) {
    for (const Json& said : message["fates"]) {
      auto fate = FateFromJson(said);
      if (!fate.ok()) return Failed(Ending::kCrashed, "it damaged its results");
      task.done.fates.push_back(*fate);
      ++task.next;
      ++stats_.device_images;
    }
    task.suspect = -1;
    task.first = false;
    started_at_ = SecondsNow();
    return;
  }
  const Json& end = message.contains("end") ? message["end"] : Json::object();
  if (end.contains("out_of_bounds") && !task.done.out_of_bounds) {
    const Json& found = end["out_of_bounds"];
    task.done.out_of_bounds = OutOfBounds{found.value("step", ""), found.value("buffer", ""),
                                          found.value("offset", int64_t{0})};
  }
  stats_.device_busy_s += end.value("busy_s", 0.0);
  stats_.device_launches += end.value("launches", 0.0);
  stats_.device_waits += end.value("waits", 0.0);
  const std::string kind = end.value("kind", "");
  const std::string detail = end.value("detail", "");
  if (kind == "finished") {
    Finish();
  } else if (kind == "kernel") {
    // The device may be in any state: the next mutant gets a new process.
    Failed(Ending::kCrashed, "the kernel failed: " + detail);
  } else {
    task.done.tool_error = detail.empty() ? "the device's process said nothing" : detail;
    task.done.fates.clear();
    Finish();
  }
}

// The first was not to blame for what others were sent: they keep their places.
void Accelerator::TakeBack() {
  for (; !under_way_.empty(); under_way_.pop_back())
    waiting_.push_front(std::move(under_way_.back()));
}

void Accelerator::Failed(Ending ending, const std::string& detail) {
  Task& task = current();
  process_->Kill();  // if it still runs: answers to what was sent ahead are not waited for
  (void)process_->Wait(2.0);
  const int count = static_cast<int>(task.job.images.size());
  task.alone = task.next;
  if (task.suspect != task.next || task.batch > 1) {
    task.suspect = task.next;  // once more, in a process of its own, an image at a time
    return TakeBack();
  }
  task.suspect = -1;
  Fate fate{.image = task.job.images[static_cast<size_t>(std::min(task.next, count - 1))]};
  fate.ending = ending;
  const bool placed = detail.find("in step ") != std::string::npos || task.step.empty();
  fate.detail = placed ? detail : detail + " in step " + task.step;
  task.done.fates.push_back(fate);
  ++task.next;
  if (task.job.stop_at_kill || task.next >= count) Finish();
  TakeBack();
}

void Accelerator::Finish() {
  finished_.push_back(std::move(current().done));
  under_way_.pop_front();
  started_at_ = SecondsNow();
  ++stats_.device_mutants;
}

}  // namespace mutatenn
