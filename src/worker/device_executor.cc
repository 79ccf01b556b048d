// The original on an accelerator: weights up once, each image's values down once.
#include "worker/device_executor.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "worker/device_mutant.h"

namespace mutatenn {
namespace {

int DeviceIndex() {
  const char* index = std::getenv("MUTATENN_DEVICE_INDEX");
  return index == nullptr ? 0 : std::atoi(index);
}

Result<Mapping> MapReferences(const std::string& file, int64_t bytes) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return Fail(Code::kIo, file, ": cannot be opened: ", std::strerror(errno));
  if (::ftruncate(fd, bytes) != 0) {
    ::close(fd);
    return Fail(Code::kIo, "no memory for the original's values: ", std::strerror(errno));
  }
  void* at = ::mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (at == MAP_FAILED)
    return Fail(Code::kIo, "no memory for the original's values: ", std::strerror(errno));
  return Mapping(at, static_cast<size_t>(bytes));
}

}  // namespace

Result<std::unique_ptr<DeviceExecutor>> DeviceExecutor::Load(const LoadRequest& request) {
  const Json target = TRY(ParseJson(request.program.target, "the program's target"));
  const DeviceId device = TRY(OpenAccelerator(target.value("kind", ""), DeviceIndex()));
  std::unique_ptr<DeviceExecutor> loaded(new DeviceExecutor(TRY(Original::Load(request)), device));
  const Original& original = *loaded->original_;
  loaded->offsets_.assign(original.program().values.size(), -1);
  auto place = [&](int value) {
    loaded->offsets_[static_cast<size_t>(value)] = loaded->bytes_per_image_;
    loaded->bytes_per_image_ += Aligned(original.typed().Bytes(value));
  };
  place(original.input());
  for (int s : original.image_steps()) {
    original.StepKernel(s).SetWorkspace({AllocateFilledWorkspace, FreeFilledWorkspace});
    for (int value : original.program().steps[static_cast<size_t>(s)].outputs) place(value);
  }
  return loaded;
}

Result<void*> DeviceExecutor::SharedConstant(int value) {
  DeviceMemory& memory = constants_[value];
  if (memory.data() == nullptr) {
    const int64_t bytes = original_->typed().Bytes(value);
    memory = TRY(DeviceMemory::Allocate(device_, bytes + kTail));
    TRY(memory.Fill());
    TRY(memory.Write(original_->Constant(value), bytes));
  }
  return memory.data();
}

Status DeviceExecutor::CheckConstants(OutOfBounds* found) {
  std::vector<char> now;
  bool damaged = false;
  for (auto& [value, memory] : constants_) {
    now.resize(static_cast<size_t>(memory.bytes()));
    TRY(memory.Read(now.data(), memory.bytes()));
    const int64_t bytes = memory.bytes() - kTail;
    const char* source = static_cast<const char*>(original_->Constant(value));
    int64_t at = std::mismatch(now.begin(), now.begin() + bytes, source).first - now.begin();
    while (at >= bytes && at < memory.bytes() && now[static_cast<size_t>(at)] == '\xff') ++at;
    if (at == memory.bytes()) continue;
    *found = {"", original_->program().values[static_cast<size_t>(value)].name, at};
    damaged = true;
    TRY(memory.Fill());
    TRY(memory.Write(source, bytes));
  }
  if (damaged) return Fail(Code::kInvalidInput, "a mutant changed ", found->buffer);
  return Ok();
}

int DeviceExecutor::FindImage(const std::string& name) const {
  for (size_t i = 0; i < runs_.size(); ++i)
    if (runs_[i].image == name) return static_cast<int>(i);
  return -1;
}

Status DeviceExecutor::RunOriginal(const ImageInput& image, char* reference, OriginalRun* run) {
  const Program& program = original_->program();
  const TypedProgram& typed = original_->typed();
  const int input = original_->input();
  const std::string bytes = TRY(ReadFile(image.file));
  if (static_cast<int64_t>(bytes.size()) != typed.Bytes(input))
    return Fail(Code::kInvalidInput, image.file, ": has ", std::to_string(bytes.size()),
                " bytes, the program's input needs ", std::to_string(typed.Bytes(input)));
  for (size_t v = 0; v < offsets_.size(); ++v) {
    if (offsets_[v] < 0) continue;
    DeviceMemory& memory = values_[static_cast<int>(v)];
    if (memory.data() == nullptr)
      memory = TRY(DeviceMemory::Allocate(device_, typed.Bytes(static_cast<int>(v)) + kTail));
    TRY(memory.Fill());
  }
  TRY(values_.at(input).Write(bytes.data(), typed.Bytes(input)));
  for (int s : original_->image_steps())
    for (int value : program.steps[static_cast<size_t>(s)].inputs)
      if (original_->Constant(value) != nullptr) TRY(SharedConstant(value));
  const double start = SecondsNow();
  for (int s : original_->image_steps()) {
    const Step& step = program.steps[static_cast<size_t>(s)];
    const auto at = [&](int value) {
      const auto constant = constants_.find(value);
      return constant != constants_.end() ? constant->second.data() : values_.at(value).data();
    };
    TRY(typed.Call(original_->StepKernel(s), step, Arguments(step, at, at), device_)
            .With("step '" + step.name + "' of the original"));
  }
  TRY(Synchronize(device_).With("the original on " + name()));
  run->seconds = SecondsNow() - start;
  for (const auto& [value, memory] : values_)
    TRY(memory.Read(reference + offsets_[static_cast<size_t>(value)], typed.Bytes(value)));
  return Ok();
}

Result<std::vector<OriginalRun>> DeviceExecutor::SetImages(const std::vector<ImageInput>& images,
                                                           const std::string& file,
                                                           const std::vector<OriginalRun>& known) {
  runs_.clear();
  references_ =
      TRY(MapReferences(file, std::max<int64_t>(bytes_per_image_, 1) *
                                  std::max<int64_t>(1, static_cast<int64_t>(images.size()))));
  if (!known.empty()) {
    runs_ = known;
    return runs_;
  }
  const int output = original_->program().outputs[0];
  const TensorType& type = original_->program().values[static_cast<size_t>(output)].type;
  for (const ImageInput& image : images) {
    if (FindImage(image.id) >= 0)
      return Fail(Code::kInvalidInput, "two images are named '", image.id, "'");
    char* reference = references_.data() + bytes_per_image_ * static_cast<int64_t>(runs_.size());
    OriginalRun run{.image = image.id};
    auto result = [&] {
      return std::string_view(reference, static_cast<size_t>(bytes_per_image_));
    };
    uint64_t first = 0;
    const bool twice = runs_.empty() || runs_.back().noisy;
    if (twice) {
      // The first time also compiles kernels; limits should not rest on that.
      TRY(RunOriginal(image, reference, &run));
      first = Hash64(result());
    }
    TRY(RunOriginal(image, reference, &run));
    // Every fate is judged against this run: is it what another run would give?
    run.noisy = twice && Hash64(result()) != first;
    const void* data = original_->Constant(output) != nullptr
                           ? original_->Constant(output)
                           : reference + offsets_[static_cast<size_t>(output)];
    const std::vector<float> scores = TRY(ToFloats(data, type));
    run.top = TopK(scores.data(), static_cast<int64_t>(scores.size()), original_->top_k());
    runs_.push_back(std::move(run));
  }
  return runs_;
}

Result<std::vector<std::vector<float>>> DeviceExecutor::Outputs(const std::string& image) const {
  const int index = FindImage(image);
  if (index < 0) return Fail(Code::kInvalidInput, "image '", image, "' is not of the loaded chunk");
  std::vector<std::vector<float>> outputs;
  for (int value : original_->program().outputs) {
    const void* data = original_->Constant(value) != nullptr ? original_->Constant(value)
                                                             : Reference(index, value);
    outputs.push_back(
        TRY(ToFloats(data, original_->program().values[static_cast<size_t>(value)].type)));
  }
  return outputs;
}

Status DeviceExecutor::CallFromHost(int s, const std::vector<void*>& host) {
  const Step& step = original_->program().steps[static_cast<size_t>(s)];
  const TypedProgram& typed = original_->typed();
  if (step.weight_only) return typed.Call(original_->StepKernel(s), step, host);
  std::vector<DeviceMemory> own(host.size());
  std::vector<void*> arguments;
  for (size_t i = 0; i < host.size(); ++i) {
    const bool input = i < step.inputs.size();
    const int value = input ? step.inputs[i] : step.outputs[i - step.inputs.size()];
    if (original_->Constant(value) != nullptr) {
      arguments.push_back(TRY(SharedConstant(value)));
      continue;
    }
    own[i] = TRY(DeviceMemory::Allocate(device_, typed.Bytes(value) + kTail));
    TRY(own[i].Fill());
    if (input) TRY(own[i].Write(host[i], typed.Bytes(value)));
    arguments.push_back(own[i].data());
  }
  TRY(typed.Call(original_->StepKernel(s), step, arguments, device_));
  TRY(Synchronize(device_));
  for (size_t i = step.inputs.size(); i < host.size(); ++i)
    TRY(own[i].Read(host[i], typed.Bytes(step.outputs[i - step.inputs.size()])));
  return Ok();
}

Result<Probed> DeviceExecutor::RunProbe(const Probe& probe) {
  if (probes_ == nullptr)
    probes_ =
        std::make_unique<Probes>(*original_, [this](int step, const std::vector<void*>& arguments) {
          return CallFromHost(step, arguments);
        });
  return probes_->Do(probe);
}

// Whether the device is as good as before a kernel failed: a launch was refused, nothing ran.
bool DeviceExecutor::Sound() {
  OutOfBounds found;
  return Synchronize(device_).ok() && CheckConstants(&found).ok();
}

DeviceRunEnd DeviceExecutor::Run(const MutantJob& job, int next, const Watcher& watcher) {
  auto ours = [](const Error& error) {
    return DeviceRunEnd{DeviceRunEnd::Kind::kToolError, error.message};
  };
  Result<MutantPlan> plan = MakePlan(*original_, job.program);
  if (!plan.ok()) return ours(plan.error());
  DeviceMutant mutant(*this, *plan, job, watcher);
  if (Status status = mutant.Load(); !status.ok()) {
    // The device's compiler may refuse what TVM wrote: that is the mutant's end, not ours.
    if (status.error().code != Code::kTvm) return ours(status.error());
    return {DeviceRunEnd::Kind::kKernelFailed, status.error().message, next};
  }
  auto run = [&](int image, DeviceRunEnd& end) -> Result<Fate> {
    Result<Fate> fate = mutant.RunImage(image, &end.out_of_bounds);
    if (fate.ok() || fate.error().code != Code::kTvm || !Sound()) return fate;
    // Refused twice is refused; it need not be asked of a new process.
    fate = mutant.RunImage(image, &end.out_of_bounds);
    if (fate.ok() || fate.error().code != Code::kTvm || !Sound()) return fate;
    Fate refused{.image = runs_[static_cast<size_t>(image)].image, .ending = Ending::kCrashed};
    const std::string& why = fate.error().message;
    const bool compiler = why.find("the device's compiler refuses the kernel") != std::string::npos;
    refused.detail = (compiler ? std::string(kDoesNotCompile) : "the kernel failed") + ": " + why;
    return refused;
  };
  DeviceRunEnd end;
  for (int position = next; position < static_cast<int>(job.images.size()); ++position) {
    const int image = FindImage(job.images[static_cast<size_t>(position)]);
    if (image < 0)
      return ours(Fail(Code::kInvalidInput, "image '", job.images[static_cast<size_t>(position)],
                       "' is not of the loaded chunk"));
    const Result<Fate> fate = run(image, end);
    if (!fate.ok()) {
      if (fate.error().code != Code::kTvm) return ours(fate.error());
      return {DeviceRunEnd::Kind::kKernelFailed, fate.error().message, position, end.out_of_bounds};
    }
    watcher.fate(fate.value());
    if (job.stop_at_kill && (fate.value().ending != Ending::kOk ||
                             KilledByTop1(runs_[static_cast<size_t>(image)].top, fate.value().top)))
      break;
  }
  return end;
}

}  // namespace mutatenn
