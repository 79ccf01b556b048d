// Wait statuses, shared pages and printed text become one line about how a mutant's process ended.
#include "worker/task.h"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

namespace mutatenn {
namespace {

constexpr double kSetupSeconds = 60;  // to load libraries, before anything of the mutant runs

// Printable, one line, short: it goes into reports.
std::string FirstPrinted(const std::string& output) {
  std::string text;
  for (char c : output.substr(0, output.find('\n')))
    if (static_cast<unsigned char>(c) >= 0x20 && text.size() < 160) text.push_back(c);
  return text;
}

std::string Place(const Task& task, Phase phase) {
  if (phase == Phase::kSetup) return "while loading";
  std::string step = StepName(task, task.region.progress().step);
  return step.empty() ? "between steps" : "in step " + step;
}

double CpuLimitNow(const Task& task, const Original& original, const References& references,
                   const Limits& limits) {
  const Progress& progress = task.region.progress();
  if (progress.phase != Phase::kImages) return CpuLimit(limits, original.weight_seconds());
  size_t position = static_cast<size_t>(
      std::clamp<int>(progress.image, 0, static_cast<int>(task.child_task.images.size()) - 1));
  int image = task.child_task.images[position];
  return CpuLimit(limits, references.runs()[static_cast<size_t>(image)].seconds);
}

}  // namespace

std::string StepName(const Task& task, int step) {
  const std::vector<Step>& steps = task.plan.program().steps;
  if (step < 0 || step >= static_cast<int>(steps.size())) return "";
  return steps[static_cast<size_t>(step)].name;
}

OutOfBounds AccessOf(const Task& task) {
  const Access& access = task.region.progress().access;
  std::string buffer =
      access.kind == BufferKind::kWorkspace
          ? "workspace"
          : fmt::format("{} {}", access.kind == BufferKind::kInput ? "input" : "output",
                        access.index);
  return {StepName(task, access.step), buffer, access.offset};
}

std::optional<Death> DeathOf(const Task& task, int wait_status, const std::string& output,
                             const Limits& limits) {
  const Progress& progress = task.region.progress();
  Outcome outcome = progress.outcome;
  Phase phase = progress.phase;
  Death death;
  int last = static_cast<int>(task.child_task.images.size()) - 1;
  death.before_images = phase != Phase::kImages && phase != Phase::kDone;
  death.position = death.before_images
                       ? task.child_task.next
                       : std::clamp<int>(progress.image, task.child_task.next, last);
  std::string place = Place(task, phase);
  std::string printed = FirstPrinted(output);
  std::string words = printed.empty() ? "" : "; it printed: " + printed;
  std::string said(progress.text, ::strnlen(progress.text, sizeof progress.text));

  if (task.shot) {
    death.kind = Death::Kind::kTimeout;
    death.detail = "over its wall time " + place;
    return death;
  }
  if (WIFSIGNALED(wait_status)) {
    int signal = WTERMSIG(wait_status);
    if (signal == SIGPROF) {
      death.kind = Death::Kind::kTimeout;
      death.detail = "over its CPU time " + place;
    } else if (signal == SIGKILL) {
      death.kind = Death::Kind::kOurs;
      death.detail = "killed by the system " + place + " (out of memory?)";
    } else {
      death.detail = SignalName(signal) + " " + place + words;
    }
    return death;
  }
  int status = WEXITSTATUS(wait_status);
  // A mutant may call exit() with our numbers, or damage the shared pages: both have to agree.
  bool own = status == kExitBase + static_cast<int>(outcome) && outcome != Outcome::kNone;
  if (own && outcome == Outcome::kFinished && phase == Phase::kDone) return std::nullopt;
  if (own && outcome == Outcome::kOutOfBounds) return std::nullopt;
  if (own && outcome == Outcome::kToolError) {
    death.kind = Death::Kind::kOurs;
    death.detail = said;
  } else if (own && outcome == Outcome::kOutOfMemory) {
    death.detail = fmt::format("out of memory {} (limit {} MiB)", place, limits.memory_bytes >> 20);
  } else if (own && outcome == Outcome::kKernelError) {
    death.detail = "the kernel failed " + place + ": " + said;
  } else {
    death.detail = fmt::format("exit({}) {}{}", status, place, words);
  }
  return death;
}

double WallLeft(const Task& task, const Original& original, const References& references,
                const Limits& limits) {
  const Progress& progress = task.region.progress();
  if (progress.phase == Phase::kDone) return kSetupSeconds;  // it only has to end
  double allowed = limits.wall_factor * CpuLimitNow(task, original, references, limits);
  if (progress.phase == Phase::kSetup) allowed = std::max(allowed, kSetupSeconds);
  double spent = 1e-9 * static_cast<double>(MonotonicNanoseconds() - progress.started_ns);
  return allowed - spent;
}

Fate FateFrom(const Task& task, const Record& record, const std::vector<Ranked>& top) {
  Fate fate;
  fate.image = task.job.images[static_cast<size_t>(record.image)];
  fate.top = top;
  fate.infected = record.infected != 0;
  fate.dirty_steps = record.dirty_steps;
  fate.first_diverging_step = StepName(task, record.first_diverging);
  if (!fate.first_diverging_step.empty()) {
    const Step& step = task.plan.program().steps[static_cast<size_t>(record.first_diverging)];
    if (!step.layers.empty()) fate.first_diverging_layer = step.layers.back();
  }
  fate.nonfinite = record.nonfinite != 0;
  fate.max_abs_diff = record.max_abs_diff;
  fate.seconds = record.seconds;
  return fate;
}

}  // namespace mutatenn
