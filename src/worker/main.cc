// mutatenn-worker: the program that runs on a device. Started with `--channel FD`, it reads its key
// there, writes the port it listens on (loopback), serves one client and ends. `serve` is for
// clients on other machines (serve.h), `run` for bundles (run_bundle.h).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/process.h"
#include "base/turns.h"
#include "tvm/runtime.h"
#include "worker/accelerator.h"
#include "worker/isolation.h"
#include "worker/run_bundle.h"
#include "worker/serve.h"
#include "worker/serve_library.h"
#include "worker/service.h"

namespace mutatenn {
namespace {

constexpr double kKeySeconds = 30;
constexpr int kConnectMilliseconds = 60'000;

struct Listener {
  int fd = -1;
  int port = 0;
};

Result<Listener> Listen() {
  Listener listener;
  listener.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener.fd < 0 || ::bind(listener.fd, generic, size) != 0 || ::listen(listener.fd, 4) != 0 ||
      ::getsockname(listener.fd, generic, &size) != 0)
    return Fail(Code::kUnavailable, "cannot listen on loopback: ", std::strerror(errno));
  listener.port = ntohs(address.sin_port);
  return listener;
}

Status Serve(int channel_fd) {
  LineChannel channel(channel_fd);
  Json hello = TRY(channel.Receive(kKeySeconds));
  if (!hello.is_object() || !hello.contains("key") || !hello["key"].is_string())
    return Fail(Code::kInvalidInput, "the client sent no key");
  std::string key = hello["key"].get<std::string>();
  pid_t client = ::getppid();
  Service service([client] { return ::getppid() == client; });
  RegisterRemoteFunctions(service.Functions());
  Listener listener = TRY(Listen());
  TRY(channel.Send({{"port", listener.port}, {"pid", ::getpid()}}));
  while (true) {
    pollfd waiting{listener.fd, POLLIN, 0};
    if (::poll(&waiting, 1, kConnectMilliseconds) == 0)
      return Fail(Code::kUnavailable, "no client came");
    int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    Status served = ServeConnection(fd, key);
    // A stranger (wrong key) does not take the place of the client.
    if (!served.ok() && served.error().code == Code::kInvalidInput) {
      ::close(fd);
      continue;
    }
    return served;
  }
}

}  // namespace
}  // namespace mutatenn

int main(int argc, char** argv) {
  ::setenv("TVM_NUM_THREADS", "1", 1);  // a fork copies one thread only
  mutatenn::TakeShortTurns();
  std::signal(SIGPIPE, SIG_IGN);  // a client that left is an end, not a crash
  mutatenn::Status status = mutatenn::Ok();
  if (argc == 3 && std::strcmp(argv[1], "--accelerator") == 0)
    return mutatenn::ServeAccelerator(std::atoi(argv[2]));
  if (argc == 3 && std::strcmp(argv[1], "--library") == 0)
    return mutatenn::ServeLibrary(std::atoi(argv[2]));
  if (argc > 1 && std::strcmp(argv[1], "serve") == 0) {
    auto options = mutatenn::ParseServeOptions({argv + 2, argv + argc});
    status = options.ok() ? mutatenn::RunServer(*options) : options.error();
  } else if (argc > 1 && std::strcmp(argv[1], "run") == 0) {
    status = mutatenn::RunBundle({argv + 2, argv + argc});
  } else if (argc == 3 && std::strcmp(argv[1], "--channel") == 0) {
    status = mutatenn::Serve(std::atoi(argv[2]));
  } else {
    std::fprintf(stderr,
                 "mutatenn-worker: started by mutatenn; say `mutatenn-worker serve --help` for "
                 "clients on other machines\n");
    return 2;
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "mutatenn-worker: %s\n", status.error().message.c_str());
  return mutatenn::ExitStatus(status.error().code);
}
