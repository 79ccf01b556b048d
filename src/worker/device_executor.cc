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
  auto original = TRY(Original::Load(request));
  std::vector<int> values = {original->input()}, constants;
  for (int s : original->image_steps()) {
    original->StepKernel(s).SetWorkspace({AllocateFilledWorkspace, FreeFilledWorkspace});
    const Step& step = original->program().steps[static_cast<size_t>(s)];
    values.insert(values.end(), step.outputs.begin(), step.outputs.end());
  }
  for (int v = 0; v < std::ssize(original->program().values); ++v)
    if (original->Constant(v) != nullptr) constants.push_back(v);
  DeviceLayout layout(original->typed(), values), constant_layout(original->typed(), constants);
  std::unique_ptr<DeviceExecutor> loaded(new DeviceExecutor(
      std::move(original), device, std::move(layout), std::move(constant_layout)));
  loaded->budget_ = request.memory_budget_bytes;
  TRY(loaded->LoadTools());
  TRY(loaded->UploadConstants());
  return loaded;
}

Status DeviceExecutor::LoadTools() {
  const auto& kernels = original_->program().kernels;
  for (auto& [key, function] : {std::pair{kDifferKernel, &differ_}, {kDigestKernel, &digest_}}) {
    const auto found = kernels.find(key);
    if (found == kernels.end())
      return Fail(Code::kInvalidInput,
                  "the campaign was built by an older mutatenn, whose programs lack ", key,
                  "; build it again");
    *function = *original_->SameKernel(found->second);
  }
  auto upload = [&](const std::vector<uint32_t>& words) -> Result<DeviceMemory> {
    const int64_t bytes = 4 * std::ssize(words);
    DeviceMemory memory = TRY(DeviceMemory::Allocate(device_, bytes));
    TRY(memory.Write(words.data(), bytes));
    return memory;
  };
  table_ = TRY(upload(layout_.table));
  std::vector<uint32_t> all;  // every word of a digest counts, for one flag
  for (int64_t chunk = 0; chunk < kDigestWords / kChunkWords; ++chunk) {
    all.push_back(0);
    all.push_back(kChunkWords);
  }
  digest_table_ = TRY(upload(all));
  for (DeviceMemory* digest : {&new_digest_, &constants_digest_})
    *digest = TRY(DeviceMemory::Allocate(device_, 4 * kDigestWords));
  return Ok();
}

Status DeviceExecutor::UploadConstants() {
  if (constants_.whole.data() == nullptr)
    constants_ = TRY(LaidOut::Make(device_, constant_layout_));
  std::vector<char> host(static_cast<size_t>(constant_layout_.bytes), '\xff');
  for (int value : constant_layout_.values)
    std::memcpy(host.data() + constant_layout_[value].offset, original_->Constant(value),
                static_cast<size_t>(constant_layout_[value].bytes));
  TRY(constants_.whole.Write(host.data(), constant_layout_.bytes));
  return Digest(constants_, constant_layout_, constants_digest_);
}

void DeviceExecutor::Launching() {
  ++figures_.launches;
  if (launched_at_ == 0) launched_at_ = SecondsNow();
}

void DeviceExecutor::Waited() {
  ++figures_.waits;
  if (launched_at_ != 0) figures_.busy_s += SecondsNow() - launched_at_;
  launched_at_ = 0;
}

Status DeviceExecutor::Wait() {
  Status status = Synchronize(device_);
  Waited();
  return status;
}

Status DeviceExecutor::Read(const DeviceMemory& memory, void* to, int64_t bytes, int64_t offset) {
  Status status = memory.Read(to, bytes, offset);
  Waited();
  return status;
}

Status DeviceExecutor::Call(const KernelFunction& kernel, const TypedProgram& typed,
                            const Step& step, std::span<void* const> arguments) {
  Launching();
  return typed.Call(kernel, step, arguments, device_);
}

Status DeviceExecutor::Differ(const DeviceMemory& a, const DeviceMemory& b,
                              const DeviceMemory& table, const DeviceMemory& flags, int64_t begin,
                              int64_t base, int64_t chunks) {
  Launching();
  constexpr DLDataType kWord = {kDLUInt, 32, 1};
  static constexpr int64_t kShape[] = {int64_t{1} << 30};
  const TensorView tensors[] = {{a.data(), kWord, kShape, device_},
                                {b.data(), kWord, kShape, device_},
                                {table.data(), kWord, kShape, device_},
                                {flags.data(), kWord, kShape, device_}};
  const int64_t numbers[] = {begin, base, chunks};
  return differ_.Call(tensors, numbers).With("comparing on the device");
}

Status DeviceExecutor::Digest(const LaidOut& memory, const DeviceLayout& layout,
                              const DeviceMemory& digest) {
  Launching();
  constexpr DLDataType kWord = {kDLUInt, 32, 1};
  static constexpr int64_t kShape[] = {int64_t{1} << 30};
  const TensorView tensors[] = {{memory.whole.data(), kWord, kShape, device_},
                                {digest.data(), kWord, kShape, device_}};
  const int64_t numbers[] = {layout.Rounds()};
  return digest_.Call(tensors, numbers).With("checking what mutants share");
}

Status DeviceExecutor::ZeroFlags(const DeviceMemory& report, int64_t bytes) {
  if (zeros_.bytes() < bytes) {
    const std::vector<char> host(static_cast<size_t>(bytes), 0);
    zeros_ = TRY(DeviceMemory::Allocate(device_, bytes));
    TRY(zeros_.Write(host.data(), bytes));
  }
  Launching();
  return report.CopyFrom(zeros_, 0, 0, bytes);
}

Status DeviceExecutor::CheckShared(const std::vector<Image*>& images, const DeviceMemory& flags,
                                   int64_t base) {
  auto check = [&](const LaidOut& memory, const DeviceLayout& layout,
                   const DeviceMemory& digest) -> Status {
    TRY(Digest(memory, layout, new_digest_));
    return Differ(new_digest_, digest, digest_table_, flags, 0, base, kDigestWords / kChunkWords);
  };
  TRY(check(constants_, constant_layout_, constants_digest_));
  for (const Image* image : images) TRY(check(image->values, layout_, image->digest));
  return Ok();
}

Status DeviceExecutor::Repair(const std::vector<int>& images, OutOfBounds* found) {
  std::vector<char> now;
  auto look = [&](const LaidOut& memory, const DeviceLayout& layout,
                  const std::function<const void*(int)>& source) -> Status {
    now.resize(static_cast<size_t>(layout.bytes));
    TRY(Read(memory.whole, now.data(), layout.bytes));
    for (int value : layout.values) {
      const char* at = now.data() + layout[value].offset;
      const int64_t bytes = layout[value].bytes;
      int64_t wrong =
          std::mismatch(at, at + bytes, static_cast<const char*>(source(value))).first - at;
      while (wrong >= bytes && wrong < layout[value].room && at[wrong] == '\xff') ++wrong;
      if (wrong == layout[value].room || !found->buffer.empty()) continue;
      *found = {"", original_->program().values[static_cast<size_t>(value)].name, wrong};
    }
    return Ok();
  };
  found->buffer.clear();
  TRY(look(constants_, constant_layout_, [&](int value) { return original_->Constant(value); }));
  TRY(UploadConstants());
  for (int image : images) {
    const auto resident = resident_.find(image);
    if (resident == resident_.end()) continue;
    TRY(look(resident->second.values, layout_, [&](int value) { return Reference(image, value); }));
    TRY(resident->second.values.whole.Write(Host(image), layout_.bytes));
  }
  return Ok();
}

int DeviceExecutor::FindImage(const std::string& name) const {
  for (size_t i = 0; i < runs_.size(); ++i)
    if (runs_[i].image == name) return static_cast<int>(i);
  return -1;
}

int DeviceExecutor::LargestBatch() const {
  return static_cast<int>(std::clamp<int64_t>(budget_ / layout_.bytes, 1, kLargestBatch));
}

Result<LaidOut*> DeviceExecutor::Slot(int index) {
  while (std::ssize(slots_) <= index) slots_.push_back(TRY(LaidOut::Make(device_, layout_)));
  return &slots_[static_cast<size_t>(index)];
}

Result<DeviceExecutor::Image*> DeviceExecutor::Resident(int image) {
  if (auto found = resident_.find(image); found != resident_.end()) return &found->second;
  Result<LaidOut> values = LaidOut::Make(device_, layout_);
  if (!values.ok()) return values.error().With("no room on the device; lower memory_budget_mb");
  Image& made = resident_[image];
  made.values = std::move(*values);
  made.digest = TRY(DeviceMemory::Allocate(device_, 4 * kDigestWords));
  TRY(made.values.whole.Write(Host(image), layout_.bytes));
  TRY(Digest(made.values, layout_, made.digest));
  return &made;
}

Status DeviceExecutor::RunOriginal(const ImageInput& image, int index, OriginalRun* run) {
  const Program& program = original_->program();
  const int input = original_->input();
  const std::string bytes = TRY(ReadFile(image.file));
  if (std::ssize(bytes) != layout_[input].bytes)
    return Fail(Code::kInvalidInput, image.file, ": has ", std::to_string(bytes.size()),
                " bytes, the program's input needs ", std::to_string(layout_[input].bytes));
  // The input goes up as a part of the whole.
  char* host = references_.data() + index * layout_.bytes;
  std::memset(host, 0xff, static_cast<size_t>(layout_.bytes));
  std::memcpy(host + layout_[input].offset, bytes.data(), bytes.size());
  Image* resident = TRY(Resident(index));
  TRY(resident->values.whole.Write(host, layout_.bytes));
  TRY(Wait());
  const double start = SecondsNow();
  for (int s : original_->image_steps()) {
    const Step& step = program.steps[static_cast<size_t>(s)];
    const auto at = [&](int value) {
      return original_->Constant(value) != nullptr ? constants_.at(value)
                                                   : resident->values.at(value);
    };
    TRY(Call(original_->StepKernel(s), original_->typed(), step, Arguments(step, at, at))
            .With("step '" + step.name + "' of the original"));
  }
  TRY(Wait().With("the original on " + name()));
  run->seconds = SecondsNow() - start;
  TRY(Digest(resident->values, layout_, resident->digest));
  return Read(resident->values.whole, host, layout_.bytes);
}

Result<std::vector<OriginalRun>> DeviceExecutor::SetImages(const std::vector<ImageInput>& images,
                                                           const std::string& file,
                                                           const std::vector<OriginalRun>& known) {
  runs_.clear();
  resident_.clear();
  references_ = TRY(MapReferences(
      file, layout_.bytes * std::max<int64_t>(1, static_cast<int64_t>(images.size()))));
  if (!known.empty()) {
    runs_ = known;
    return runs_;
  }
  const int output = original_->program().outputs[0];
  const TensorType& type = original_->program().values[static_cast<size_t>(output)].type;
  for (const ImageInput& image : images) {
    if (FindImage(image.id) >= 0)
      return Fail(Code::kInvalidInput, "two images are named '", image.id, "'");
    const int index = static_cast<int>(runs_.size());
    OriginalRun run{.image = image.id};
    auto result = [&] {
      return Hash64(std::string_view(Host(index), static_cast<size_t>(layout_.bytes)));
    };
    uint64_t first = 0;
    const bool twice = runs_.empty() || runs_.back().noisy;
    if (twice) {
      // The first time also compiles kernels; limits should not rest on that.
      TRY(RunOriginal(image, index, &run));
      first = result();
    }
    TRY(RunOriginal(image, index, &run));
    // Every fate is judged against this run: is it what another run would give?
    run.noisy = twice && result() != first;
    const void* data = original_->Constant(output) != nullptr ? original_->Constant(output)
                                                              : Reference(index, output);
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
      arguments.push_back(constants_.at(value));
      continue;
    }
    own[i] = TRY(DeviceMemory::Allocate(device_, typed.Bytes(value) + kTail));
    TRY(own[i].Fill());
    if (input) TRY(own[i].Write(host[i], typed.Bytes(value)));
    arguments.push_back(own[i].data());
  }
  TRY(Call(original_->StepKernel(s), typed, step, arguments));
  TRY(Wait());
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

}  // namespace mutatenn
