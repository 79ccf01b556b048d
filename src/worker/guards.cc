// Guarded buffers, the fault handler that says which one was left, and the search for silent
// readers.
#include "worker/guards.h"

#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "worker/isolation.h"

namespace mutatenn {
namespace {

constexpr uint32_t kNaN = 0x7fc0dead;         // a quiet NaN that no computation makes
constexpr int64_t kGuard = 8 << 20;           // unmapped on either side of an argument
constexpr int64_t kAttributable = 1LL << 30;  // a fault farther off belongs to no buffer

Guards* active = nullptr;  // whose kernel is running

void* Allocate(int, int, uint64_t bytes, int, int) {
  return active->AllocateWorkspace(static_cast<int64_t>(std::min<uint64_t>(bytes, 1ULL << 40)));
}

int Free(int, int, void* piece) {
  active->FreeWorkspace(piece);
  return 0;
}

void OnFault(int signal, siginfo_t* info, void*) {
  if (active != nullptr) active->HandleFault(signal, info->si_addr);
  // Not ours: the access is repeated with the default action and ends the process.
  ::signal(signal, SIG_DFL);
}

// The pattern's bytes at their places relative to `low`, so that a check can start anywhere.
void FillRange(char* low, char* from, char* to, uint32_t pattern) {
  const char* bytes = reinterpret_cast<const char*>(&pattern);
  for (char* at = from; at < to; ++at) *at = bytes[(at - low) % 4];
}

void FillWords(char* from, char* to, uint32_t pattern) {
  uint32_t* word = reinterpret_cast<uint32_t*>(from);
  for (; reinterpret_cast<char*>(word + 1) <= to; ++word) *word = pattern;
  std::memcpy(word, &pattern, static_cast<size_t>(to - reinterpret_cast<char*>(word)));
}

}  // namespace

Result<GuardedBuffer> GuardedBuffer::Make(int64_t bytes) {
  int64_t page = PageSize();
  int64_t usable = std::max(page, (Aligned(bytes) + page - 1) / page * page);
  void* address = ::mmap(nullptr, static_cast<size_t>(usable + 2 * kGuard), PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED)
    return Fail(Code::kIo, "no address space for a guarded buffer: ", std::strerror(errno));
  GuardedBuffer buffer;
  buffer.space_ = Mapping(address, static_cast<size_t>(usable + 2 * kGuard));
  buffer.low_ = buffer.space_.data() + kGuard;
  buffer.high_ = buffer.low_ + usable;
  buffer.start_ = buffer.high_ - Aligned(bytes);
  buffer.bytes_ = bytes;
  if (!buffer.Protect(false))
    return Fail(Code::kIo, "no memory for a guarded buffer: ", std::strerror(errno));
  Populate(buffer.low_, usable);
  buffer.FillBefore(kNaN);
  buffer.FillAfter(kNaN);
  return buffer;
}

bool GuardedBuffer::Protect(bool read_only) {
  return ::mprotect(low_, static_cast<size_t>(high_ - low_),
                    read_only ? PROT_READ : PROT_READ | PROT_WRITE) == 0;
}

void GuardedBuffer::Fill(uint32_t pattern) { FillWords(start_, start_ + bytes_, pattern); }
void GuardedBuffer::FillBefore(uint32_t pattern) { FillRange(low_, low_, start_, pattern); }
void GuardedBuffer::FillAfter(uint32_t pattern) {
  FillRange(low_, start_ + bytes_, high_, pattern);
}

bool GuardedBuffer::Damaged(int64_t* offset) const {
  const char* bytes = reinterpret_cast<const char*>(&kNaN);
  auto damaged = [&](const char* from, const char* to) {
    for (const char* at = from; at < to; ++at) {
      if (*at == bytes[(at - low_) % 4]) continue;
      *offset = at - start_;
      return true;
    }
    return false;
  };
  return damaged(low_, start_) || damaged(start_ + bytes_, high_);
}

int64_t GuardedBuffer::Distance(const void* address) const {
  int64_t offset = Offset(address);
  return offset < 0 ? -offset : std::max<int64_t>(0, offset - bytes_ + 1);
}

Guards::~Guards() {
  if (active == this) active = nullptr;
}

Status Guards::Prepare(const TypedProgram& typed, const Step& step) {
  if (signal_stack_.empty()) {
    signal_stack_.resize(1 << 16);  // a kernel may fault on its own stack
    stack_t stack{signal_stack_.data(), 0, signal_stack_.size()};
    ::sigaltstack(&stack, nullptr);
    struct sigaction action = {};
    action.sa_sigaction = OnFault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (int signal : {SIGSEGV, SIGBUS}) ::sigaction(signal, &action, nullptr);
  }
  if (slots_.contains(step.kernel)) return Ok();
  Slots slots;
  slots.inputs = step.inputs.size();
  slots.copied.resize(slots.inputs);
  for (int value : step.inputs)
    slots.buffers.push_back(TRY(GuardedBuffer::Make(typed.Bytes(value))));
  for (int value : step.outputs)
    slots.buffers.push_back(TRY(GuardedBuffer::Make(typed.Bytes(value))));
  slots_[step.kernel] = std::move(slots);
  return Ok();
}

void Guards::Run(const TypedProgram& typed, const Step& step, const KernelFunction& kernel,
                 const std::vector<const void*>& inputs, const Patterns& patterns,
                 const std::vector<bool>& constant) {
  Slots& slots = slots_.at(step.kernel);
  std::vector<void*> arguments;
  workspace_content_ = patterns.content;
  workspace_slack_ = patterns.slack;
  workspace_side_ = patterns.side - 2 * static_cast<int>(slots.buffers.size());
  check_ = patterns.slack == kNaN;
  for (size_t i = 0; i < slots.buffers.size(); ++i) {
    GuardedBuffer& buffer = slots.buffers[i];
    bool input = i < slots.inputs;
    arguments.push_back(buffer.data());
    if (input) {  // read-only since it was filled, and its slack is NaN
      bool kept = check_ && !constant.empty() && constant[i];
      if (kept && slots.copied[i] == inputs[i]) continue;
      slots.copied[i] = kept ? inputs[i] : nullptr;
    }
    if (input && !buffer.Protect(false)) EndOutOfMemory();
    if (!check_) {  // otherwise the NaN of Make is still there, or the process had ended
      buffer.FillBefore(patterns.side == static_cast<int>(2 * i) ? kNaN : patterns.slack);
      buffer.FillAfter(patterns.side == static_cast<int>(2 * i + 1) ? kNaN : patterns.slack);
    }
    if (input && buffer.bytes() > 0)
      std::memcpy(buffer.data(), inputs[i], static_cast<size_t>(buffer.bytes()));
    if (!input) buffer.Fill(patterns.content);
    if (input && !buffer.Protect(true)) EndOutOfMemory();
  }
  current_ = &slots;
  active = this;
  WorkspaceHook before = kernel.SetWorkspace({Allocate, Free});
  {
    AddSeconds timer(run_s_);
    (void)typed.Call(kernel, step, arguments);
  }
  kernel.SetWorkspace(before);
  active = nullptr;
  if (check_) CheckSlack();
  workspaces_.clear();
}

void Guards::Call(const TypedProgram& typed, const Step& step, int step_index,
                  const KernelFunction& kernel, const std::vector<const void*>& inputs,
                  const std::vector<bool>& constant) {
  step_index_ = step_index;
  Run(typed, step, kernel, inputs, {.content = kNaN, .slack = kNaN}, constant);
}

const void* Guards::Output(size_t index) const {
  return current_->buffers[current_->inputs + index].data();
}

void Guards::CheckSlack() {
  int64_t offset = 0;
  for (size_t i = 0; i < current_->buffers.size(); ++i)
    if (current_->buffers[i].Damaged(&offset)) ReportBuffer(i, offset);
  for (const auto& workspace : workspaces_)
    if (workspace->Damaged(&offset)) Report(BufferKind::kWorkspace, 0, offset);
}

void Guards::FindReader(const TypedProgram& typed, const Step& step, const KernelFunction& kernel,
                        const std::vector<const void*>& inputs) {
  if (!searched_.insert(step.kernel).second) return;
  Slots& slots = slots_.at(step.kernel);
  auto outputs = [&] {
    std::vector<char> bytes;
    for (size_t i = slots.inputs; i < slots.buffers.size(); ++i)
      bytes.insert(bytes.end(), slots.buffers[i].data(),
                   slots.buffers[i].data() + slots.buffers[i].bytes());
    return bytes;
  };
  Run(typed, step, kernel, inputs, {.content = 0, .slack = 0});
  std::vector<char> base = outputs();
  int sides = 2 * static_cast<int>(slots.buffers.size()) + 2;  // the last two: workspace
  for (int side = 0; side < sides; ++side) {
    Run(typed, step, kernel, inputs, {.content = 0, .slack = 0, .side = side});
    if (outputs() == base) continue;
    size_t buffer = static_cast<size_t>(side / 2);
    bool behind = side % 2 == 1;
    if (buffer == slots.buffers.size())
      Report(BufferKind::kWorkspace, 0, behind ? 0 : -1);  // its size is not known here
    ReportBuffer(buffer, behind ? slots.buffers[buffer].bytes() : -1);
  }
  for (GuardedBuffer& buffer : slots.buffers) {
    if (!buffer.Protect(false)) EndOutOfMemory();
    buffer.FillBefore(kNaN);
    buffer.FillAfter(kNaN);
  }
}

void* Guards::AllocateWorkspace(int64_t bytes) {
  Result<GuardedBuffer> made = GuardedBuffer::Make(bytes);
  if (!made.ok()) EndOutOfMemory();
  auto buffer = std::make_unique<GuardedBuffer>(std::move(made).value());
  buffer->Fill(workspace_content_);
  if (!check_) {
    buffer->FillBefore(workspace_side_ == 0 ? kNaN : workspace_slack_);
    buffer->FillAfter(workspace_side_ == 1 ? kNaN : workspace_slack_);
  }
  workspaces_.push_back(std::move(buffer));
  return workspaces_.back()->data();
}

void Guards::FreeWorkspace(void* piece) {
  for (auto at = workspaces_.begin(); at != workspaces_.end(); ++at) {
    if ((*at)->data() != piece) continue;
    int64_t offset = 0;
    if (check_ && (*at)->Damaged(&offset)) Report(BufferKind::kWorkspace, 0, offset);
    workspaces_.erase(at);
    return;
  }
}

void Guards::HandleFault(int, const void* address) {
  const GuardedBuffer* nearest = nullptr;
  size_t index = 0;
  auto consider = [&](const GuardedBuffer& buffer, size_t i) {
    if (nearest != nullptr && nearest->Distance(address) <= buffer.Distance(address)) return;
    nearest = &buffer;
    index = i;
  };
  for (size_t i = 0; i < current_->buffers.size(); ++i) consider(current_->buffers[i], i);
  for (const auto& workspace : workspaces_) consider(*workspace, current_->buffers.size());
  if (nearest == nullptr || nearest->Distance(address) > kAttributable) return;
  int64_t offset = nearest->Offset(address);
  if (index == current_->buffers.size()) Report(BufferKind::kWorkspace, 0, offset);
  ReportBuffer(index, offset);
}

void Guards::ReportBuffer(size_t buffer, int64_t offset) {
  if (buffer < current_->inputs) Report(BufferKind::kInput, buffer, offset);
  Report(BufferKind::kOutput, buffer - current_->inputs, offset);
}

void Guards::Report(BufferKind kind, size_t index, int64_t offset) {
  ChildProgress().access = {step_index_, kind, static_cast<int32_t>(index), offset};
  EndChild(Outcome::kOutOfBounds);
}

}  // namespace mutatenn
