// fork, and everything that keeps a mutant from touching anything but its own memory.
#include "worker/isolation.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <new>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/sanitizer.h"

namespace mutatenn {
namespace {

Progress* child_progress = nullptr;  // set in a child only

void Isolate(pid_t worker, int output) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != worker) ::_exit(kExitBase);  // it died before the line above
  // No core file, and none by a system-wide handler either: both take longer than the mutant.
  rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::setrlimit(RLIMIT_NPROC, &none);  // no processes and threads of its own; root's are not limited
  ::prctl(PR_SET_DUMPABLE, 0);
  struct sigaction plain = {};
  plain.sa_handler = SIG_DFL;  // TVM's handlers take 240 ms a crash
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &plain, nullptr);
  sigset_t nothing;
  ::sigemptyset(&nothing);
  ::sigprocmask(SIG_SETMASK, &nothing, nullptr);
  int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  std::set_new_handler(EndOutOfMemory);
}

// One; QEMU's user emulation has another, which it sees through a fork itself.
int OwnThreads() {
  static const int count = [] {
    char name[16] = {};
    int fd = ::open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    bool read = ::read(fd, name, sizeof name - 1) > 0;
    ::close(fd);
    return read && ::strncmp(name, "qemu-", 5) == 0 ? 2 : 1;
  }();
  return count;
}

int64_t CpuMicroseconds() {
  timespec now;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
}

}  // namespace

Child& Child::operator=(Child&& other) noexcept {
  std::swap(forked_at_, other.forked_at_);
  std::swap(pid_, other.pid_);
  std::swap(owner_, other.owner_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(pipe_, other.pipe_);
  std::swap(output_bytes_, other.output_bytes_);
  return *this;
}

Child::~Child() {
  // A mutant that calls exit() destroys its copies of our objects: it must not kill its siblings.
  if (running() && owner_ == ::getpid()) {
    Kill();
    Reap();
  }
  if (pidfd_ >= 0) ::close(pidfd_);
  if (pipe_ >= 0) ::close(pipe_);
}

void Child::Kill() {
  if (running()) ::kill(-pid_, SIGKILL);
}

void Child::Wait() {
  pollfd ended{pidfd_, POLLIN, 0};
  while (running() && ::poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
}

int Child::Reap() {
  int status = 0;
  ::kill(-pid_, SIGKILL);  // what the mutant may have started itself
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

std::string Child::Output() {
  std::string text(static_cast<size_t>(output_bytes_), '\0');
  size_t size = 0;
  while (size < text.size()) {
    ssize_t n = ::read(pipe_, text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    size += static_cast<size_t>(n);
  }
  text.resize(size);
  return text;
}

Result<Child> ForkChild(SharedRegion& region, int output_bytes, const std::function<void()>& body) {
  const double forked_at = SecondsNow();
  CHECK(ThreadCount() <= OwnThreads(), "the worker must not start threads");
  // The writing end does not block: a mutant that prints megabytes fills the pipe and loses the
  // rest, whether we read in the meantime or not.
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0)
    return Fail(Code::kUnavailable, "no pipe for a mutant: ", ::strerror(errno));
  ::fcntl(pipe[1], F_SETPIPE_SZ, std::max(output_bytes, 4096));
  ::fflush(nullptr);
  pid_t worker = ::getpid();
  pid_t pid = ::fork();
  if (pid == 0) {
    child_progress = &region.progress();
    Isolate(worker, pipe[1]);
    child_progress->figures.running_at = SecondsNow();
    body();
    EndChild(Outcome::kToolError, "a child came back");
  }
  int error = errno;
  ::close(pipe[1]);
  Child child;
  child.forked_at_ = forked_at;
  child.pipe_ = pipe[0];
  child.output_bytes_ = output_bytes;
  if (pid < 0)
    return Fail(Code::kUnavailable, "cannot start a process for a mutant: ", ::strerror(error));
  ::setpgid(pid, pid);  // here too: whoever comes first
  child.pid_ = pid;
  child.owner_ = worker;
  child.pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (child.pidfd_ < 0)
    return Fail(Code::kUnavailable, "cannot watch a mutant's process: ", ::strerror(errno));
  return child;
}

void LimitMemory(int64_t bytes) {
  if (kAddressSanitized) return;
  long long pages = 0;
  if (FILE* file = ::fopen("/proc/self/statm", "r")) {
    if (::fscanf(file, "%lld", &pages) != 1) pages = 0;
    ::fclose(file);
  }
  rlim_t limit = static_cast<rlim_t>(pages * PageSize() + bytes);
  rlimit both{limit, limit};
  ::setrlimit(RLIMIT_AS, &both);
}

void EndChild(Outcome outcome, const std::string& text) {
  Progress& progress = ChildProgress();
  size_t size = std::min(text.size(), sizeof progress.text - 1);
  ::memcpy(progress.text, text.data(), size);
  progress.text[size] = '\0';
  if (outcome == Outcome::kFinished) progress.phase = Phase::kDone;
  progress.outcome = outcome;
  progress.figures.ended_at = SecondsNow();
  ::_exit(kExitBase + static_cast<int>(outcome));
}

void EndOutOfMemory() {
  child_progress->outcome = Outcome::kOutOfMemory;
  ::_exit(kExitBase + static_cast<int>(Outcome::kOutOfMemory));
}

Progress& ChildProgress() {
  CHECK(child_progress != nullptr);
  return *child_progress;
}

void CpuBudget::Reset(double seconds) { left_us_ = static_cast<int64_t>(seconds * 1e6); }

void CpuBudget::Start() {
  // The kernel lengthens a timer by a tick (4 ms), which a short step never reaches.
  if (left_us_ <= 0) ::raise(SIGPROF);
  int64_t left = std::max<int64_t>(left_us_, 1);
  started_us_ = CpuMicroseconds();
  itimerval timer{{0, 0}, {left / 1'000'000, left % 1'000'000}};
  ::setitimer(ITIMER_PROF, &timer, nullptr);
}

void CpuBudget::Stop() {
  itimerval off{};
  ::setitimer(ITIMER_PROF, &off, nullptr);
  left_us_ -= CpuMicroseconds() - started_us_;  // the timer's own rest is rounded up to a tick
}

int ThreadCount() {
  DIR* tasks = ::opendir("/proc/self/task");
  if (tasks == nullptr) return 0;
  int count = 0;
  while (dirent* entry = ::readdir(tasks)) count += entry->d_name[0] != '.';
  ::closedir(tasks);
  return count;
}

std::string SignalName(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("SIG{}", name);
}

}  // namespace mutatenn
