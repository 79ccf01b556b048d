// Turns a command line into a running child with a socket, and bytes on that socket into JSON
// lines. Between fork and exec only async-signal-safe calls are made: other threads may hold any
// lock.
#include "base/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>

extern char** environ;

namespace mutatenn {
namespace {

constexpr int kFirstFreeFd = 10;       // ours stay clear of the child's 0 to 3
constexpr off_t kMaxOutput = 4 << 20;  // a chatty child's older output is dropped
constexpr size_t kMaxLine = size_t{1} << 30;

using Clock = std::chrono::steady_clock;

class Deadline {
 public:
  explicit Deadline(double seconds) : limited_(seconds >= 0) {
    if (limited_)
      end_ = Clock::now() + std::chrono::microseconds(std::llround(std::min(seconds, 1e9) * 1e6));
  }
  // Milliseconds for poll(), rounded up so that waiting never spins; -1 = no limit.
  int Milliseconds() const {
    if (!limited_) return -1;
    auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now()).count();
    return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
  }

 private:
  bool limited_;
  Clock::time_point end_;
};

Error SystemError(const std::string& what) {
  return Fail(Code::kUnavailable, what, ": ", std::strerror(errno));
}

void CloseFd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

// An fd that closes itself, moved out of the range that the child uses.
struct Fd {
  int fd = -1;
  Fd() = default;
  explicit Fd(int raw) : fd(raw < 0 ? -1 : ::fcntl(raw, F_DUPFD_CLOEXEC, kFirstFreeFd)) {
    CloseFd(raw);
  }
  Fd(Fd&& other) noexcept : fd(other.Release()) {}
  Fd& operator=(Fd&& other) noexcept { return std::swap(fd, other.fd), *this; }
  ~Fd() { CloseFd(fd); }
  int Release() { return std::exchange(fd, -1); }
};

Result<std::string> FindProgram(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  const char* variable = std::getenv("PATH");
  std::string_view path = variable ? variable : "/usr/bin:/bin";
  while (!path.empty()) {
    size_t end = std::min(path.find(':'), path.size());
    std::string candidate = std::string(path.substr(0, end)) + "/" + program;
    if (end > 0 && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return Fail(Code::kNotFound, program, ": no such program in PATH");
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& s : strings) pointers.push_back(s.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Runs in the child. On failure writes errno to `report` and ends.
[[noreturn]] void ExecChild(const char* program, char* const* arguments, char* const* environment,
                            const char* directory, int null, int output, int socket, int report,
                            pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  struct sigaction plain = {};
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &plain, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  bool ok = ::dup2(null, 0) == 0 && ::dup2(output, 1) == 1 && ::dup2(output, 2) == 2;
  if (socket >= 0) {
    ok = ok && ::dup2(socket, kChildSocket) == kChildSocket;
  } else {
    ::close(kChildSocket);
  }
  ::syscall(SYS_close_range, kChildSocket + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  if (ok && *directory) ok = ::chdir(directory) == 0;
  if (ok) ::execve(program, arguments, environment);
  int error = errno;
  [[maybe_unused]] ssize_t n = ::write(report, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

LineChannel::LineChannel(LineChannel&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      searched_(other.searched_) {}

LineChannel::~LineChannel() { CloseFd(fd_); }

bool LineChannel::HasLine() {
  size_t at = buffer_.find('\n', searched_);
  searched_ = at == std::string::npos ? buffer_.size() : at;
  return at != std::string::npos;
}

Result<bool> LineChannel::ReadSome() {
  char bytes[1 << 16];
  ssize_t n = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
  if (n > 0) {
    buffer_.append(bytes, static_cast<size_t>(n));
    if (buffer_.size() > kMaxLine) return Fail(Code::kInternal, "the peer sent a line over 1 GB");
    return true;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  return Fail(Code::kUnavailable, "the peer closed the connection");
}

Status LineChannel::Send(const Json& message) {
  std::string line = DumpJson(message) + "\n";
  for (size_t done = 0; done < line.size();) {
    ssize_t n = ::send(fd_, line.data() + done, line.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      done += static_cast<size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Fail(Code::kUnavailable, "the peer closed the connection");
    pollfd waiting{fd_, POLLIN | POLLOUT, 0};
    ::poll(&waiting, 1, -1);
    if (waiting.revents & POLLIN) TRY(ReadSome());
  }
  return Ok();
}

Result<Json> LineChannel::Receive(double timeout_s) {
  Deadline deadline(timeout_s);
  while (!HasLine()) {
    if (TRY(ReadSome())) continue;
    int wait_ms = deadline.Milliseconds();
    if (wait_ms == 0)
      return Fail(Code::kTimeout, "no answer within ", std::to_string(timeout_s), " s");
    pollfd waiting{fd_, POLLIN, 0};
    ::poll(&waiting, 1, wait_ms);
  }
  std::string line = buffer_.substr(0, searched_);
  buffer_.erase(0, searched_ + 1);
  searched_ = 0;
  Result<Json> message = ParseJson(line, "a message");
  if (!message.ok()) return Fail(Code::kInternal, message.error().message);
  return message;
}

std::string DescribeWaitStatus(int status) {
  if (WIFSIGNALED(status)) {
    const char* text = ::strsignal(WTERMSIG(status));
    return "was killed by signal " + std::to_string(WTERMSIG(status)) + " (" + (text ? text : "?") +
           ")";
  }
  return "exited with status " + std::to_string(WEXITSTATUS(status));
}

Result<std::unique_ptr<Process>> Process::Start(const ProcessOptions& options) {
  CHECK(!options.command.empty());
  std::string program = TRY(FindProgram(options.command[0]));
  std::vector<std::string> arguments = options.command;
  std::vector<std::string> environment;
  for (char** entry = environ; *entry; ++entry) {
    std::string text = *entry;
    if (!options.environment.contains(text.substr(0, text.find('=')))) environment.push_back(text);
  }
  for (const auto& [key, value] : options.environment) environment.push_back(key + "=" + value);
  std::vector<char*> argv = Pointers(arguments), envp = Pointers(environment);

  Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC)), output(::memfd_create("output", MFD_CLOEXEC));
  int pair[2] = {-1, -1}, pipe[2] = {-1, -1};
  bool ok = null.fd >= 0 && output.fd >= 0 && ::pipe2(pipe, O_CLOEXEC) == 0;
  if (ok && options.socket) ok = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0;
  Fd ours(pair[0]), theirs(pair[1]), from_child(pipe[0]), report(pipe[1]);
  ok = ok && from_child.fd >= 0 && report.fd >= 0 &&
       (!options.socket || (ours.fd >= 0 && theirs.fd >= 0));
  if (!ok) return SystemError("cannot start " + program);
  ::fcntl(output.fd, F_SETFL, O_APPEND);  // after dropping old output, writes go on at the new end

  pid_t parent = ::getpid(), pid = ::fork();
  if (pid < 0) return SystemError("cannot start " + program);
  if (pid == 0) {
    ExecChild(program.c_str(), argv.data(), envp.data(), options.directory.c_str(), null.fd,
              output.fd, theirs.fd, report.fd, parent);
  }
  CloseFd(report.fd);
  CloseFd(theirs.fd);
  int error = 0;
  ssize_t n;
  while ((n = ::read(from_child.fd, &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (n == sizeof error) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return Fail(error == ENOENT ? Code::kNotFound : Code::kUnavailable, "cannot start ", program,
                ": ", std::strerror(error));
  }
  std::unique_ptr<Process> process(new Process);
  process->name_ = options.name.empty() ? options.command[0] : options.name;
  process->pid_ = pid;
  process->pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  process->output_ = output.Release();
  if (options.socket) process->channel_.emplace(ours.Release());
  if (process->pidfd_ < 0) return SystemError("cannot watch " + program);
  return process;
}

Process::~Process() {
  Kill();
  (void)Wait(-1);
  CloseFd(pidfd_);
  CloseFd(output_);
}

std::optional<int> Process::Poll() {
  if (status_) return status_;
  int status = 0;
  pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == pid_) status_ = status;
  if (ended < 0 && errno == ECHILD) status_ = SIGKILL;  // reaped by somebody else: nothing is known
  return status_;
}

Result<int> Process::Wait(double timeout_s) {
  Deadline deadline(timeout_s);
  while (true) {
    if (Poll()) return *status_;
    int wait_ms = deadline.Milliseconds();
    if (wait_ms == 0)
      return Fail(Code::kTimeout, name_, " still runs after ", std::to_string(timeout_s), " s");
    pollfd ended{pidfd_, POLLIN, 0};
    ::poll(&ended, 1, pidfd_ < 0 ? 10 : wait_ms);
  }
}

void Process::Kill(int signal) {
  // After the leader was reaped its number could in theory name another group; only then is it left
  // alone.
  if (status_ || pid_ <= 0) return;
  if (::kill(-pid_, signal) != 0) ::kill(pid_, signal);
}

std::string Process::LastOutput(int lines) const {
  struct stat info;
  if (::fstat(output_, &info) != 0) return "";
  std::string tail(static_cast<size_t>(std::min<off_t>(info.st_size, 4096)), '\0');
  ssize_t n =
      ::pread(output_, tail.data(), tail.size(), info.st_size - static_cast<off_t>(tail.size()));
  tail.resize(n < 0 ? 0 : static_cast<size_t>(n));
  std::vector<std::string> kept;
  while (!tail.empty() && static_cast<int>(kept.size()) < lines) {
    size_t start = tail.rfind('\n');
    std::string line = tail.substr(start == std::string::npos ? 0 : start + 1);
    tail.resize(start == std::string::npos ? 0 : start);
    if (!line.empty()) kept.push_back(line);
  }
  std::string text;
  for (auto line = kept.rbegin(); line != kept.rend(); ++line)
    text += (text.empty() ? "" : " | ") + *line;
  return text;
}

Error Process::Explain(const Error& error) {
  if (error.code != Code::kUnavailable) return error.With(name_);
  Result<int> status = Wait(2.0);  // its socket closes a little before it is gone
  std::string text = name_ + " (pid " + std::to_string(pid_) + ") " +
                     (status.ok() ? DescribeWaitStatus(*status) : "closed its connection");
  std::string output = LastOutput();
  return Fail(Code::kUnavailable, text, output.empty() ? "" : "; its last output: ", output);
}

Status Process::Send(const Json& message) {
  if (!channel_) return Fail(Code::kInternal, name_, " has no socket");
  Status status = channel_->Send(message);
  if (!status.ok()) return Explain(status.error());
  return status;
}

Result<Json> Process::Receive(double timeout_s) {
  if (!channel_) return Fail(Code::kInternal, name_, " has no socket");
  struct stat info;
  if (::fstat(output_, &info) == 0 && info.st_size > kMaxOutput) (void)!::ftruncate(output_, 0);
  Result<Json> message = channel_->Receive(timeout_s);
  if (!message.ok()) return Explain(message.error());
  return message;
}

}  // namespace mutatenn
