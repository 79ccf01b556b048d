// A thread with two connections and poll.
#include "device/relay.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/clock.h"
#include "tvm/runtime.h"

namespace mutatenn {
namespace {

constexpr double kSend_s = 45;
constexpr size_t kBuffer = 1 << 16;

// What is there now, passed on. kUnavailable at the end of either connection.
Status PassOn(const Socket& from, const Socket& to, std::vector<char>& buffer) {
  ssize_t n = ::recv(from.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return Ok();
  if (n == 0) return Fail(Code::kUnavailable, "it closed the connection");
  if (n < 0) return Fail(Code::kUnavailable, "the connection broke: ", std::strerror(errno));
  return to.Send({buffer.data(), static_cast<size_t>(n)}, kSend_s);
}

}  // namespace

Result<std::unique_ptr<Relay>> Relay::Start(Socket remote, std::string key) {
  Socket listener = TRY(ListenTcp({"127.0.0.1", 0}));
  int port = TRY(PortOf(listener));
  std::unique_ptr<Relay> relay(
      new Relay(std::move(remote), std::move(listener), port, std::move(key)));
  if (relay->wake_ < 0) return Fail(Code::kUnavailable, "eventfd: ", std::strerror(errno));
  // Signals are for the other threads.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  relay->thread_ = std::thread([r = relay.get()] { r->Run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return relay;
}

Relay::Relay(Socket remote, Socket listener, int port, std::string key)
    : remote_(std::move(remote)),
      listener_(std::move(listener)),
      port_(port),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      key_(std::move(key)) {}

Relay::~Relay() {
  Close();
  if (wake_ >= 0) ::close(wake_);
}

void Relay::Close() {
  stop_ = true;
  uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  remote_ = Socket();
  listener_ = Socket();
}

void Relay::SetDeadline(double seconds) {
  deadline_s_ = seconds > 0 ? SecondsNow() + seconds : 0;
  uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
}

std::string Relay::problem() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return problem_;
}

int Relay::MillisecondsLeft() const {
  double deadline = deadline_s_;
  if (deadline == 0) return -1;
  return static_cast<int>(std::clamp(std::ceil((deadline - SecondsNow()) * 1000), 0.0, 1e9));
}

Status Relay::Pump(const Socket& local) {
  std::vector<char> buffer(kBuffer);
  while (!stop_) {
    pollfd waiting[] = {{local.fd(), POLLIN, 0}, {remote_.fd(), POLLIN, 0}, {wake_, POLLIN, 0}};
    if (::poll(waiting, 3, MillisecondsLeft()) < 0 && errno != EINTR)
      return Fail(Code::kInternal, "poll: ", std::strerror(errno));
    uint64_t count;
    if (waiting[2].revents != 0) (void)!::read(wake_, &count, sizeof count);
    if (waiting[1].revents != 0) TRY(PassOn(remote_, local, buffer));
    if (waiting[0].revents != 0 && !PassOn(local, remote_, buffer).ok()) return Ok();
    if (MillisecondsLeft() == 0 && !waiting[1].revents)
      return Fail(Code::kTimeout, "it does not answer");
  }
  return Ok();
}

void Relay::Run() {
  pollfd waiting[] = {{listener_.fd(), POLLIN, 0}, {wake_, POLLIN, 0}};
  while (!stop_ && waiting[0].revents == 0) {
    ::poll(waiting, 2, -1);
    uint64_t count;
    if (waiting[1].revents != 0) (void)!::read(wake_, &count, sizeof count);
  }
  if (stop_) return;
  Result<Socket> local = Accept(listener_);
  listener_ = Socket();
  Status status = local.ok() ? Ok() : local.error();
  if (status.ok() && !key_.empty()) status = AnswerHandshake(local->fd(), key_);
  if (status.ok()) status = Pump(*local);
  std::lock_guard<std::mutex> lock(mutex_);
  if (!status.ok() && !stop_) problem_ = status.error().message;
  // The remote end first: who waits on the local one may ask for the problem at once.
  remote_ = Socket();
}

}  // namespace mutatenn
