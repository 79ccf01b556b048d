// A child process of ours and the JSON lines spoken with it: fork and exec with nothing unsafe
// between, a socket pair as the child's fd 3, its output kept so that an error can quote the last
// lines.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

// The fd at which a child started with `socket` finds its end.
inline constexpr int kChildSocket = 3;

// One JSON value a line over a stream socket; owns the fd. Either end may use it; one thread at a
// time. A dead peer is an error of code kUnavailable, never SIGPIPE.
class LineChannel {
 public:
  explicit LineChannel(int fd) : fd_(fd) {}
  LineChannel(LineChannel&& other) noexcept;
  ~LineChannel();

  // Reads what arrives while it waits for room, so two ends that both send cannot block each other.
  Status Send(const Json& message);
  // The next message. timeout_s < 0 = no limit. kTimeout leaves the channel usable.
  Result<Json> Receive(double timeout_s);
  int fd() const { return fd_; }
  // A whole line is already here; poll() on fd() alone would not show it.
  bool HasLine();

 private:
  Result<bool> ReadSome();  // false = nothing there now

  int fd_ = -1;
  std::string buffer_;
  size_t searched_ = 0;  // no newline in buffer_ before this
};

struct ProcessOptions {
  std::vector<std::string> command;                // command[0] without '/' is looked up in PATH
  std::map<std::string, std::string> environment;  // added to ours, replacing equal names
  std::string directory;                           // "" = ours
  std::string name;                                // for messages; "" = command[0]
  bool socket = true;                              // false: no fd 3; Send and Receive are errors
};

// How a process ended, from wait's status: "exited with status 3", "was killed by signal 11
// (Segmentation fault)".
std::string DescribeWaitStatus(int wait_status);

// The child: own process group, stdin /dev/null, stdout and stderr kept, every fd above 3 closed on
// exec, SIGKILL when the *thread* that started it ends. Destroying the object kills the group and
// reaps.
class Process {
 public:
  // kNotFound: no such program. kUnavailable: it cannot be started (permissions, limits).
  static Result<std::unique_ptr<Process>> Start(const ProcessOptions& options);
  ~Process();
  Process(const Process&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& name() const { return name_; }
  // Readable once the child has ended; for poll().
  int pidfd() const { return pidfd_; }
  LineChannel* channel() { return channel_ ? &*channel_ : nullptr; }

  // As the channel's, but an error of code kUnavailable says how the child ended and quotes
  // LastOutput.
  Status Send(const Json& message);
  Result<Json> Receive(double timeout_s);

  // Wait's status if the child has ended; the first call after the end reaps it.
  std::optional<int> Poll();
  // The same, waiting; timeout_s < 0 = no limit. kTimeout when it still runs.
  Result<int> Wait(double timeout_s);
  void Kill(int signal = SIGKILL);  // the whole process group
  // The last lines the child wrote to stdout or stderr, joined by " | "; at most 4 KB.
  std::string LastOutput(int lines = 5) const;

 private:
  Process() = default;
  Error Explain(const Error& error);

  std::string name_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  int output_ = -1;  // memfd
  std::optional<int> status_;
  std::optional<LineChannel> channel_;
};

}  // namespace mutatenn
