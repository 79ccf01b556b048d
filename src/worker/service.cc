// Remote calls to the worker's parts, with every argument checked.
#include "worker/service.h"

#include <unistd.h>

#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>

#include "base/clock.h"
#include "device/begin.h"
#include "device/inline_files.h"
#include "device/remote.h"
#include "device/repeat.h"
#include "worker/deadline.h"
#include "worker/floors.h"
#include "worker/speed.h"
#include "worker/step_hashes.h"

namespace mutatenn {
namespace {

constexpr int64_t kDefaultMemory = 4LL << 30;

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name") || line.starts_with("Model"))
      if (size_t colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
  return "unknown CPU";
}

}  // namespace

std::map<std::string, RemoteFunction> Service::Functions() {
  using Method = Result<Json> (Service::*)(const Json&);
  const std::map<std::string, Method> methods = {
      {"mutatenn.hello", &Service::Hello},     {"mutatenn.load", &Service::Load},
      {"mutatenn.images", &Service::Images},   {"mutatenn.submit", &Service::Submit},
      {"mutatenn.collect", &Service::Collect}, {"mutatenn.outputs", &Service::Outputs},
      {"mutatenn.floors", &Service::Floors},   {"mutatenn.hashes", &Service::Hashes},
      {"mutatenn.probe", &Service::RunProbe},  {"mutatenn.stats", &Service::Stats},
      {"mutatenn.repeat", &Service::Repeat},   {"mutatenn.work", &Service::Work},
      {"mutatenn.begin", &Service::Begin},     {"mutatenn.speed", &Service::Speed}};
  std::map<std::string, RemoteFunction> functions;
  for (const auto& [name, method] : methods)
    functions[name] = [this, name = name, method = method](const std::string& text) {
      Result<Json> argument = ParseJson(text.empty() ? "{}" : text, "the argument of " + name);
      auto call = [&]() -> Result<Json> {
        CountMessages(name == "mutatenn.submit" || name == "mutatenn.work");
        Result<Json> result = (this->*method)(*argument);
        left_ = {SecondsNow(), SecondsNow(CLOCK_PROCESS_CPUTIME_ID),
                 scheduler_ != nullptr && scheduler_->idle()};
        return result;
      };
      return SealReply(argument.ok() ? call() : argument);
    };
  functions["mutatenn.with"] = [functions](const std::string& text) {
    Result<InlineCall> call = TakeInlineCall(text);
    if (!call.ok()) return SealReply(Fail(Code::kUnavailable, call.error().message));
    auto named = functions.find(call->function);
    if (named == functions.end()) return SealReply(Fail(Code::kUnsupported, call->function));
    return named->second(call->argument);
  };
  return functions;
}

// What lies between two calls is messages. They cost their CPU time, but where mutants come to a
// worker that had none to run, the time they took.
void Service::CountMessages(bool mutants_come) {
  if (left_.at_s == 0) return;
  stats_.rpc_s += left_.idle && mutants_come ? SecondsNow() - left_.at_s
                                             : SecondsNow(CLOCK_PROCESS_CPUTIME_ID) - left_.cpu_s;
}

Status Service::Loaded() const {
  if (original_ == nullptr && accelerator_ == nullptr)
    return Fail(Code::kInvalidInput, "no program is loaded");
  return Ok();
}

Result<Json> Service::Hello(const Json&) {
  utsname system = {};
  ::uname(&system);
  return Json{{"program", "mutatenn-worker"}, {"protocol", 1},    {"pid", ::getpid()},
              {"machine", system.machine},    {"cpu", CpuName()}, {"tvm_version", TvmVersion()}};
}

Result<Json> Service::Speed(const Json&) {
  const WorkerSpeed speed = MeasureSpeed();
  return Json{{"gflops", speed.gflops}, {"copy_gb_s", speed.copy_gb_s}};
}

Result<Json> Service::Load(const Json& argument) {
  LoadRequest request = TRY(LoadRequestFromJson(argument));
  if ((scheduler_ != nullptr && !scheduler_->idle()) ||
      (accelerator_ != nullptr && !accelerator_->idle()))
    return Fail(Code::kInvalidInput, "mutants of the last program are unfinished");
  if (request.scratch.empty()) request.scratch = scratch_;
  if (request.limits.memory_bytes <= 0) request.limits.memory_bytes = kDefaultMemory;
  if (scheduler_ != nullptr) Add(scheduler_->stats(), &stats_);
  if (accelerator_ != nullptr) Add(accelerator_->stats(), &stats_);
  scheduler_.reset();
  references_.reset();
  probes_.reset();
  original_.reset();
  accelerator_.reset();
  if (RunsOnAccelerator(request.program)) {
    accelerator_ = TRY(Accelerator::Load(request));
    request_ = std::move(request);
    return ToJson(
        LoadReply{accelerator_->name(), TvmVersion(), ::getpid(), accelerator_->reference_bytes()});
  }
  original_ = TRY(Original::Load(request));
  request_ = std::move(request);
  scheduler_ = std::make_unique<Scheduler>(*original_, request_);
  {
    AddSeconds timer(stats_.reference_s);
    keeping_ = TRY(ChooseKeeping(*original_, request_));
  }
  LoadReply reply{CpuName(), TvmVersion(), ::getpid(), keeping_.bytes_per_image};
  return ToJson(reply);
}

Result<Json> Service::Images(const Json& argument) {
  TRY(Loaded());
  std::vector<ImageInput> images = TRY(ImageInputsFromJson(argument));
  if (accelerator_ != nullptr) {
    if (!accelerator_->idle())
      return Fail(Code::kInvalidInput, "mutants of the last chunk are unfinished");
    AddSeconds timer(stats_.reference_s);
    Json runs = Json::array();
    for (const OriginalRun& run : TRY(accelerator_->SetImages(images))) runs.push_back(ToJson(run));
    return runs;
  }
  if (!scheduler_->idle())
    return Fail(Code::kInvalidInput, "mutants of the last chunk are unfinished");
  scheduler_->SetChunk(nullptr, {});
  Arena memory;  // two chunks at a time would be twice the budget
  if (references_ != nullptr) memory = std::move(*references_).TakeMemory();
  references_.reset();
  {
    AddSeconds timer(stats_.reference_s);
    references_ = std::make_unique<References>(
        TRY(References::Run(*original_, images, request_.memory_budget_bytes, keep_going_,
                            std::move(memory), keeping_.kept)));
  }
  stats_.reference_bytes =
      std::max(stats_.reference_bytes, static_cast<double>(references_->bytes()));
  scheduler_->SetChunk(references_.get(), images);
  Json runs = Json::array();
  for (const OriginalRun& run : references_->runs()) runs.push_back(ToJson(run));
  return runs;
}

// What Session::Begin does in single calls.
Result<Json> Service::Begin(const Json& argument) {
  BeginRequest request = TRY(BeginRequestFromJson(argument));
  const Json reply = TRY(Load(argument["load"]));
  const int chunk =
      ChunkImages(request.chunk_bytes, TRY(LoadReplyFromJson(reply)).reference_bytes_per_image);
  request.images.resize(std::min(request.images.size(), static_cast<size_t>(chunk)));
  Json begun = {{"reply", reply},
                {"chunk_images", chunk},
                {"runs", Json::array()},
                {"repeated", Json::array()},
                {"floors", Json::array()}};
  if (request.images.empty()) return begun;
  const Json images = ToJson(request.images);
  begun["runs"] = TRY(Images(images));
  begun["repeated"] = TRY(Repeat({{"images", images}, {"runs", request.repeats}}));
  if (!request.floors) return begun;
  Result<Json> floors =
      Floors(ToJson(FloorsOn(*request.floors, request.images, request.floor_images)));
  if (floors.ok())
    begun["floors"] = std::move(floors).value();
  else if (floors.error().code != Code::kUnsupported)
    return floors.error();
  return begun;
}

// The run that is loaded, and others.
Result<Json> Service::Repeat(const Json& argument) {
  const std::vector<ImageInput> images = TRY(ImageInputsFromJson(argument.value("images", Json())));
  RepeatedRunsWriter writer;
  for (int i = 0; i < argument.value("runs", 1); ++i) {
    writer.Begin(i == 0 ? Json::array() : TRY(Images(argument["images"])));
    for (const ImageInput& image : images) writer.Add(TRY(Outputs({{"image", image.id}})));
  }
  return writer.Take();
}

// Mutants in, and others out, and where the time has gone so far: one message on a link where each
// takes its time.
Result<Json> Service::Work(const Json& argument) {
  if (!argument.is_object() || !argument.contains("jobs"))
    return Fail(Code::kInvalidInput, "work needs jobs");
  if (!argument["jobs"].empty()) TRY(Submit(argument["jobs"]));
  Json done = TRY(Collect(argument));
  return Json{{"done", std::move(done)}, {"stats", TRY(Stats({}))}};
}

Result<Json> Service::Submit(const Json& argument) {
  TRY(Loaded());
  std::vector<MutantJob> jobs = TRY(MutantJobsFromJson(argument));
  TRY(accelerator_ != nullptr ? accelerator_->Submit(jobs) : scheduler_->Submit(jobs));
  return Json::object();
}

Result<Json> Service::Collect(const Json& argument) {
  TRY(Loaded());
  if (!argument.is_object() || !argument.contains("wait_s") || !argument["wait_s"].is_number())
    return Fail(Code::kInvalidInput, "collect needs wait_s");
  // Over a slow link answers are worth waiting for: what ends within linger_s goes with the first.
  const double linger_s = argument.value("linger_s", 0.0);
  Json list = Json::array();
  double wait_s = argument["wait_s"].get<double>(), end_s = 0;
  auto collect = [&]() -> Result<std::vector<MutantDone>> {
    if (accelerator_ != nullptr) return accelerator_->Collect(wait_s);
    return scheduler_->Collect(wait_s);
  };
  // So many left are enough for the time that an answer and new mutants take on their way.
  const size_t enough = argument.value("enough", size_t{0});
  auto idle = [&] {
    return accelerator_ != nullptr ? accelerator_->idle() : scheduler_->unfinished() <= enough;
  };
  do {
    for (const MutantDone& done : TRY(collect())) list.push_back(ToJson(done));
    if (end_s == 0) end_s = SecondsNow() + linger_s;
    wait_s = end_s - SecondsNow();
  } while (wait_s > 0 && !list.empty() && !idle());
  return list;
}

Result<Json> Service::RunProbe(const Json& argument) {
  TRY(Loaded());
  if (accelerator_ != nullptr) return accelerator_->RunProbe(argument);
  if (probes_ == nullptr) probes_ = std::make_unique<Probes>(*original_);
  const Probe probe = TRY(ProbeFromJson(argument));
  const Deadline deadline(probe.limit_s);
  return ToJson(TRY(probes_->Do(probe)));
}

Result<Json> Service::Stats(const Json&) {
  WorkerStats stats = stats_;
  if (scheduler_ != nullptr) Add(scheduler_->stats(), &stats);
  if (accelerator_ != nullptr) Add(accelerator_->stats(), &stats);
  rusage own = {}, children = {};
  ::getrusage(RUSAGE_SELF, &own);
  ::getrusage(RUSAGE_CHILDREN, &children);
  stats.worker_peak_bytes = 1024.0 * static_cast<double>(own.ru_maxrss);
  stats.mutants_peak_bytes = 1024.0 * static_cast<double>(children.ru_maxrss);
  return ToJson(stats);
}

Result<Json> Service::Floors(const Json& argument) {
  TRY(Loaded());
  FloorRequest request = TRY(FloorRequestFromJson(argument));
  if (accelerator_ != nullptr) return accelerator_->Floors(argument);
  if (references_ == nullptr || !scheduler_->idle())
    return Fail(Code::kInvalidInput, "floors need a loaded chunk and no mutant under way");
  return ToJson(
      TRY(MeasureFloors(*original_, OnCpu(*original_, *references_), request, keep_going_)));
}

Result<Json> Service::Hashes(const Json& argument) {
  TRY(Loaded());
  if (!argument.is_object() || !argument.contains("images") || !argument["images"].is_array())
    return Fail(Code::kInvalidInput, "hashes need images");
  std::vector<std::string> images;
  for (const Json& image : argument["images"]) {
    if (!image.is_string()) return Fail(Code::kInvalidInput, "an image is named by a string");
    images.push_back(image.get<std::string>());
  }
  if (accelerator_ != nullptr) return accelerator_->Hashes(argument["images"]);
  if (references_ == nullptr || !scheduler_->idle())
    return Fail(Code::kInvalidInput, "hashes need a loaded chunk and no mutant under way");
  return ToJson(TRY(HashSteps(*original_, OnCpu(*original_, *references_), images, keep_going_)));
}

Result<Json> Service::Outputs(const Json& argument) {
  TRY(Loaded());
  if (!argument.is_object() || !argument.contains("image") || !argument["image"].is_string())
    return Fail(Code::kInvalidInput, "outputs needs an image");
  std::string name = argument["image"].get<std::string>();
  if (accelerator_ != nullptr) return ToJson(TRY(accelerator_->Outputs(name)));
  int image = references_ == nullptr ? -1 : references_->Find(name);
  if (image < 0) return Fail(Code::kInvalidInput, "image '", name, "' is not of the loaded chunk");
  std::vector<std::vector<float>> outputs;
  for (int value : original_->program().outputs) {
    const void* data = original_->Constant(value) != nullptr ? original_->Constant(value)
                                                             : references_->Value(image, value);
    outputs.push_back(
        TRY(ToFloats(data, original_->program().values[static_cast<size_t>(value)].type)));
  }
  return ToJson(outputs);
}

}  // namespace mutatenn
