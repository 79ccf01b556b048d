// The listening process: accepts, forks, reaps, and keeps one offer open at the tracker while no
// session runs.
#include "worker/serve.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <list>
#include <map>

#include "base/clock.h"
#include "base/files.h"
#include "base/hmac.h"
#include "base/process.h"
#include "device/file_cache.h"
#include "device/tracker.h"
#include "tvm/runtime.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr int kPollMilliseconds = 1000;
constexpr size_t kMostConnections = 64;
constexpr double kTrackerAgain_s = 2;
constexpr int kLooksBeforeRenewal = 5;  // at an offer that was taken but not used

struct Connection {
  pid_t pid = -1;
  int announced = -1;  // readable once the process has become a session
  bool session = false;
};

// Our entry at the tracker. What fails is tried again at the next call of Keep.
class Registration {
 public:
  Registration(const ServeOptions& options, int port) : options_(options), port_(port) {
    // The tracker tells clients where we are; for "any address" it takes the one it sees.
    const std::string& host = options.listen.host;
    if (host != "0.0.0.0" && host != "::") host_ = host;
  }
  const std::string& match_key() const { return match_key_; }
  int fd() const { return tracker_ ? tracker_->fd() : -1; }

  void Keep(bool busy) {
    if (!options_.tracker || (!tracker_ && SecondsNow() < next_try_s_)) return;
    Status status = Step(busy);
    if (status.ok()) return;
    std::fprintf(stderr, "mutatenn-worker: %s\n", status.error().message.c_str());
    tracker_.reset();
    if (!busy) match_key_.clear();
    next_try_s_ = SecondsNow() + kTrackerAgain_s;
  }
  void SessionEnded() { match_key_.clear(); }

 private:
  Status Step(bool busy) {
    if (!tracker_) {
      tracker_ = TRY(Tracker::Connect(*options_.tracker));
      TRY(tracker_->Describe(options_.key, host_, port_));
      if (!busy) match_key_.clear();
    }
    if (busy) return Ok();
    if (!match_key_.empty()) {
      // A client that took the offer and never came.
      unused_ = TRY(tracker_->IsOffered(match_key_)) ? 0 : unused_ + 1;
      if (unused_ < kLooksBeforeRenewal) return Ok();
    }
    unused_ = 0;
    match_key_ = options_.key + ":" + TRY(RandomHex(16));
    return tracker_->Offer(options_.key, host_, port_, match_key_);
  }

  const ServeOptions& options_;
  int port_;
  std::string host_, match_key_;
  std::optional<Tracker> tracker_;
  int unused_ = 0;
  double next_try_s_ = 0;
};

class Server {
 public:
  Server(const ServeOptions& options, Socket listener, int port)
      : options_(options), listener_(std::move(listener)), registration_(options, port) {}

  [[noreturn]] void Run() {
    while (true) {
      Reap();
      registration_.Keep(InSession());
      std::vector<pollfd> waiting = {{listener_.fd(), POLLIN, 0}};
      if (registration_.fd() >= 0) waiting.push_back({registration_.fd(), POLLIN, 0});
      ::poll(waiting.data(), waiting.size(), kPollMilliseconds);  // SIGCHLD ends it early
      if (waiting[0].revents != 0) Admit();
    }
  }

 private:
  bool InSession() {
    bool any = false;
    for (Connection& connection : connections_) {
      char byte;
      if (!connection.session && ::read(connection.announced, &byte, 1) == 1)
        connection.session = true;
      any |= connection.session;
    }
    return any;
  }

  void Reap() {
    InSession();  // a session may have ended before it was seen to begin
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      auto at = std::find_if(connections_.begin(), connections_.end(),
                             [&](const Connection& c) { return c.pid == pid; });
      if (at == connections_.end()) continue;
      char byte;
      bool session = at->session || ::read(at->announced, &byte, 1) == 1;
      ::close(at->announced);
      connections_.erase(at);
      if (!session) continue;
      std::error_code ignored;
      fs::remove_all(SessionFolder(options_.cache, pid), ignored);
      ended_[pid] = DescribeWaitStatus(status);
      registration_.SessionEnded();
      std::fprintf(stderr, "mutatenn-worker: session %d %s\n", static_cast<int>(pid),
                   ended_[pid].c_str());
    }
  }

  void Admit() {
    Result<Socket> accepted = Accept(listener_);
    if (!accepted.ok() || connections_.size() >= kMostConnections) return;
    int announce[2];
    if (::pipe2(announce, O_CLOEXEC | O_NONBLOCK) != 0) return;
    std::fflush(nullptr);
    pid_t pid = ::fork();
    if (pid == 0) {
      listener_ = Socket();
      if (registration_.fd() >= 0) ::close(registration_.fd());
      for (const Connection& other : connections_) ::close(other.announced);
      ServeOneConnection(std::move(accepted).value(),
                         {options_, registration_.match_key(), announce[1], [this](int64_t of) {
                            auto found = ended_.find(of);
                            return found == ended_.end() ? "" : found->second;
                          }});
    }
    ::close(announce[1]);
    if (pid < 0) {
      std::fprintf(stderr, "mutatenn-worker: fork: %s\n", std::strerror(errno));
      ::close(announce[0]);
      return;
    }
    connections_.push_back({pid, announce[0]});
  }

  const ServeOptions& options_;
  Socket listener_;
  Registration registration_;
  std::list<Connection> connections_;
  std::map<int64_t, std::string> ended_;  // pid of a session -> how
};

// Of a server that was killed. Another one may use the same cache.
void RemoveLeftFolders(const std::string& cache) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(fs::path(cache) / "sessions", ignored)) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

std::string SessionFolder(const std::string& cache, int pid) {
  return (fs::path(cache) / "sessions" / std::to_string(pid)).string();
}

Status RunServer(const ServeOptions& options) {
  TRY(MakeDirectories(options.cache));
  RemoveLeftFolders(options.cache);
  EvictFiles(options.cache, options.cache_mb << 20);
  Socket listener = TRY(ListenTcp(options.listen));
  Address address = {options.listen.host, TRY(PortOf(listener))};
  if (!IsLoopback(address.host)) {
    std::fprintf(
        stderr,
        "mutatenn-worker: listening on %s: whoever reaches this port %s. Nothing is encrypted.\n",
        address.Text().c_str(),
        options.secret.empty() ? "can run any program as this user (say --secret-file)"
                               : "and knows the secret can run any program as this user");
  }
  struct sigaction wake = {};
  wake.sa_handler = [](int) {};
  ::sigaction(SIGCHLD, &wake, nullptr);
  std::printf("listening on %s\n", address.Text().c_str());
  std::fflush(stdout);
  Server(options, std::move(listener), address.port).Run();
}

}  // namespace mutatenn
