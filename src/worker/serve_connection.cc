// One connection's process: less privileges, the greeting, then files or a session of TVM's RPC.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/files.h"
#include "base/hmac.h"
#include "device/wire.h"
#include "tvm/runtime.h"
#include "worker/serve.h"
#include "worker/service.h"

namespace mutatenn {
namespace {

constexpr rlim_t kMostFiles = 4096;

// What the process needs no more; the mutants' own limits come on top of it.
void DropPrivileges() {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const rlimit none{0, 0}, files{kMostFiles, kMostFiles};
  ::setrlimit(RLIMIT_CORE, &none);
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::signal(SIGCHLD, SIG_DFL);
}

// Whether the other end still holds the connection.
bool IsConnected(int fd) {
  char byte;
  return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

Status Serve(Socket socket, const ConnectionContext& context) {
  const ServeOptions& options = context.options;
  std::string said;
  ClientHello client = TRY(HearClient(socket, options.secret, &said));
  if (options.tracker && !SameSecret(client.key, context.match_key)) {
    Refuse(socket, "the key is not that of the last offer to the tracker",
           /*for_now=*/true);
    return Fail(Code::kInvalidInput, "a peer with another key");
  }
  const ServerHello hello{options.cache, context.how_ended(client.after)};
  if (client.purpose == Purpose::kFiles) {
    TRY(Welcome(socket, hello, options.secret, said));
    return ReceiveFiles(socket, options.cache);
  }
  char byte = 1;
  (void)!::write(context.announce_fd, &byte, 1);
  int fd = socket.fd();
  const std::string folder = SessionFolder(options.cache, ::getpid());
  TRY(MakeDirectories(folder));
  ::setenv("TMPDIR", folder.c_str(), 1);
  if (::chdir(folder.c_str()) != 0) return Fail(Code::kIo, folder, ": cannot be entered");
  Service service([fd] { return IsConnected(fd); }, folder);
  RegisterRemoteFunctions(service.Functions());
  TRY(Welcome(socket, hello, options.secret, said));
  return ServeCalls(fd);  // the client's end answers TVM's handshake
}

}  // namespace

void ServeOneConnection(Socket socket, const ConnectionContext& context) {
  DropPrivileges();
  Status status = Serve(std::move(socket), context);
  if (!status.ok() && status.error().code != Code::kUnavailable)
    std::fprintf(stderr, "mutatenn-worker: %s\n", status.error().message.c_str());
  std::fflush(nullptr);
  ::_exit(status.ok() ? 0 : ExitStatus(status.error().code));
}

}  // namespace mutatenn
