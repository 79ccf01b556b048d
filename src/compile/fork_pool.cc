// A poll loop over the children's pipes. A child reports its items in order.
#include "compile/fork_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>

#include "base/sanitizer.h"

namespace mutatenn {
namespace {

using Clock = std::chrono::steady_clock;

struct Child {
  pid_t pid;
  int pipe;
  std::deque<int> items;  // not reported yet
  bool alone;
  std::string buffer;
  Clock::time_point since;
  bool late = false;
};

[[noreturn]] void RunChild(int pipe, const std::deque<int>& items, int64_t memory_bytes,
                           const std::function<std::vector<Json>(const std::vector<int>&)>& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) ::signal(signal, SIG_DFL);
  rlimit none{0, 0}, memory{static_cast<rlim_t>(memory_bytes), static_cast<rlim_t>(memory_bytes)};
  ::setrlimit(RLIMIT_CORE, &none);
  if (!kAddressSanitized) ::setrlimit(RLIMIT_AS, &memory);
  std::string lines;
  for (const Json& result : work({items.begin(), items.end()})) lines += DumpJson(result) + "\n";
  for (size_t sent = 0; sent < lines.size();) {
    ssize_t n = ::write(pipe, lines.data() + sent, lines.size() - sent);
    if (n < 0 && errno != EINTR) ::_exit(3);
    if (n > 0) sent += static_cast<size_t>(n);
  }
  ::_exit(0);
}

std::string HowItEnded(int status, bool late, double limit_s) {
  if (late) return "took longer than " + std::to_string(static_cast<int>(limit_s)) + " s";
  if (WIFSIGNALED(status))
    return std::string("the compiler died: ") + ::strsignal(WTERMSIG(status));
  return "the compiler ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Status RunInChildren(const std::vector<int>& items, const ForkPoolOptions& options,
                     const std::function<std::vector<Json>(const std::vector<int>&)>& work,
                     const std::function<Status(int, const Json&)>& done,
                     const std::function<Status(int, const std::string&)>& lost) {
  std::deque<int> queue(items.begin(), items.end()), suspects;
  std::vector<Child> children;
  Status failure = Ok();

  auto start = [&]() -> Status {
    Child child;
    child.alone = queue.empty();
    if (child.alone) {
      child.items = {suspects.front()};
      suspects.pop_front();
    } else {
      // Smaller batches towards the end, so that all jobs end together.
      size_t share = queue.size();
      if (options.jobs > 1) share = share / static_cast<size_t>(2 * options.jobs) + 1;
      size_t count = std::min<size_t>(static_cast<size_t>(options.batch), share);
      child.items.assign(queue.begin(), queue.begin() + static_cast<long>(count));
      queue.erase(queue.begin(), queue.begin() + static_cast<long>(count));
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      return Fail(Code::kUnavailable, "no pipe: ", std::strerror(errno));
    child.pid = ::fork();
    if (child.pid == 0) {
      ::close(ends[0]);
      RunChild(ends[1], child.items, options.memory_bytes, work);
    }
    ::close(ends[1]);
    if (child.pid < 0) {
      ::close(ends[0]);
      return Fail(Code::kUnavailable, "cannot fork a compiler: ", std::strerror(errno));
    }
    child.pipe = ends[0];
    child.since = Clock::now();
    children.push_back(std::move(child));
    return Ok();
  };

  // Takes whole lines out of a child's buffer.
  auto deliver = [&](Child& child) -> Status {
    for (size_t end; (end = child.buffer.find('\n')) != std::string::npos;) {
      Json result = TRY(ParseJson(child.buffer.substr(0, end), "a compiler's answer"));
      child.buffer.erase(0, end + 1);
      int item = child.items.front();
      child.items.pop_front();
      TRY(done(item, result));
    }
    return Ok();
  };

  while (failure.ok() && (!queue.empty() || !suspects.empty() || !children.empty())) {
    while (static_cast<int>(children.size()) < options.jobs &&
           (!queue.empty() || (!suspects.empty() && children.empty()))) {
      failure = start();
      if (!failure.ok()) break;
    }
    if (!failure.ok()) break;
    std::vector<pollfd> polls;
    for (Child& child : children) polls.push_back({child.pipe, POLLIN, 0});
    ::poll(polls.data(), polls.size(), 200);
    for (size_t i = 0; i < children.size() && failure.ok();) {
      Child& child = children[i];
      bool ended = false;
      if (polls[i].revents != 0) {
        char bytes[1 << 16];
        ssize_t n = ::read(child.pipe, bytes, sizeof bytes);
        if (n > 0) child.buffer.append(bytes, static_cast<size_t>(n));
        ended = n == 0;
        failure = deliver(child);
      }
      if (!child.late &&
          std::chrono::duration<double>(Clock::now() - child.since).count() > options.limit_s) {
        child.late = true;
        ::kill(child.pid, SIGKILL);
      }
      if (!ended) {
        ++i;
        continue;
      }
      int status = 0;
      while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
      }
      ::close(child.pipe);
      // Nobody knows which item of a batch was guilty.
      if (child.alone && !child.items.empty() && failure.ok())
        failure = lost(child.items.front(), HowItEnded(status, child.late, options.limit_s));
      else
        suspects.insert(suspects.end(), child.items.begin(), child.items.end());
      children.erase(children.begin() + static_cast<long>(i));
      polls.erase(polls.begin() + static_cast<long>(i));
    }
  }
  for (Child& child : children) {
    ::kill(child.pid, SIGKILL);
    while (::waitpid(child.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    ::close(child.pipe);
  }
  return failure;
}

}  // namespace mutatenn
