// One reserved stretch of address space, emptied by giving its pages back before each call.
#include "worker/plain_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "worker/isolation.h"

namespace mutatenn {
namespace {

constexpr int64_t kSlack = 1 << 20;
constexpr int64_t kFar = 64 << 20;  // unmapped on either side
constexpr int64_t kMaxWorkspace = 1LL << 30;

PlainMemory* active = nullptr;  // whose kernel is running

void* Allocate(int, int, uint64_t bytes, int, int) {
  return active->AllocateWorkspace(static_cast<int64_t>(std::min<uint64_t>(bytes, INT64_MAX / 2)));
}

int Free(int, int, void*) {
  active->FreeWorkspace();
  return 0;
}

int64_t PageUp(int64_t bytes) { return (bytes + PageSize() - 1) / PageSize() * PageSize(); }

int64_t BytesOf(const TypedProgram& typed, const Step& step) {
  int64_t bytes = 0;
  for (int value : step.inputs) bytes += Aligned(typed.Bytes(value));
  for (int value : step.outputs) bytes += Aligned(typed.Bytes(value));
  return bytes;
}

}  // namespace

PlainMemory::~PlainMemory() {
  if (active == this) active = nullptr;
}

Status PlainMemory::Reserve(const TypedProgram& typed, const std::vector<bool>& guarded) {
  int64_t largest = 0;
  for (size_t s = 0; s < guarded.size(); ++s)
    if (guarded[s]) largest = std::max(largest, BytesOf(typed, typed.program.steps[s]));
  if (largest == 0) return Ok();
  int64_t size = kFar + kSlack + PageUp(largest) + kMaxWorkspace + kSlack + kFar;
  void* address = ::mmap(nullptr, static_cast<size_t>(size), PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED)
    return Fail(Code::kIo, "no address space for a mutated step: ", std::strerror(errno));
  space_ = Mapping(address, static_cast<size_t>(size));
  data_ = space_.data() + kFar + kSlack;
  if (::mprotect(data_ - kSlack, kSlack, PROT_READ | PROT_WRITE) != 0)
    return Fail(Code::kIo, "no memory for a mutated step: ", std::strerror(errno));
  return Ok();
}

Status PlainMemory::Open(int64_t end) {
  int64_t wanted = PageUp(end) + kSlack;
  int failed = 0;
  if (wanted > open_)
    failed = ::mprotect(data_ + open_, static_cast<size_t>(wanted - open_), PROT_READ | PROT_WRITE);
  if (wanted < open_)
    failed = ::mprotect(data_ + wanted, static_cast<size_t>(open_ - wanted), PROT_NONE);
  if (failed != 0) return Fail(Code::kIo, "no memory for a mutated step: ", std::strerror(errno));
  if (wanted > open_) Populate(data_ + open_, wanted - open_ - kSlack);
  open_ = wanted;
  return Ok();
}

Status PlainMemory::Fill(const TypedProgram& typed, const Step& step,
                         const std::vector<const void*>& inputs,
                         const std::vector<bool>& constant) {
  int64_t end = BytesOf(typed, step);
  // Pages given back read as zeros; a page that nobody touched costs nothing.
  ::madvise(data_ - kSlack, kSlack, MADV_DONTNEED);
  if (open_ > PageUp(end))
    ::madvise(data_ + PageUp(end), static_cast<size_t>(open_ - PageUp(end)), MADV_DONTNEED);
  TRY(Open(end));
  arguments_.clear();
  const bool again = step_ == &step && !constant.empty();
  int64_t at = 0;
  auto place = [&](int value, const void* from, bool there) {
    int64_t bytes = typed.Bytes(value);
    char* to = data_ + at;
    int64_t copied = from == nullptr ? 0 : bytes;
    if (!there) {
      if (copied > 0) std::memcpy(to, from, static_cast<size_t>(copied));
      std::memset(to + copied, 0, static_cast<size_t>(Aligned(bytes) - copied));
    }
    arguments_.push_back(to);
    at += Aligned(bytes);
  };
  for (size_t i = 0; i < inputs.size(); ++i)
    place(step.inputs[i], inputs[i], again && constant[i] && inputs_[i] == inputs[i]);
  for (int value : step.outputs) place(value, nullptr, false);
  step_ = &step;
  inputs_ = inputs;
  std::memset(data_ + end, 0, static_cast<size_t>(PageUp(end) - end));
  workspace_ = workspace_top_ = end;
  workspaces_ = 0;
  return Ok();
}

Status PlainMemory::Call(const TypedProgram& typed, const Step& step,
                         const KernelFunction& kernel) {
  active = this;
  WorkspaceHook before = kernel.SetWorkspace({Allocate, Free});
  Status status = typed.Call(kernel, step, arguments_);
  kernel.SetWorkspace(before);
  active = nullptr;
  return status;
}

void* PlainMemory::AllocateWorkspace(int64_t bytes) {
  if (bytes > workspace_ + kMaxWorkspace - workspace_top_) EndOutOfMemory();
  char* piece = data_ + workspace_top_;
  workspace_top_ += Aligned(bytes);
  if (PageUp(workspace_top_) + kSlack > open_ && !Open(workspace_top_).ok()) EndOutOfMemory();
  ++workspaces_;
  return piece;
}

void PlainMemory::FreeWorkspace() {
  if (--workspaces_ == 0) workspace_top_ = workspace_;
}

}  // namespace mutatenn
