// `mutatenn-worker serve`: a worker for clients on other machines. One process listens, a process
// each serves a connection (a session of TVM's RPC, or files by content), so that a session that
// crashes takes nothing else along. Loopback unless told otherwise.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/socket.h"

namespace mutatenn {

struct ServeOptions {
  Address listen = {"127.0.0.1", 0};  // port 0: any that is free
  std::string secret;                 // "" = none is asked for
  std::string cache;                  // folder of what clients sent
  int64_t cache_mb = 4096;            // older files beyond it are removed at the start
  std::optional<Address> tracker;     // TVM's official one, to register at under `key`
  std::string key;
};

// The command line behind `serve`. kInvalidInput: one line that says what to say instead; a request
// for help is answered with the usage in the same way.
Result<ServeOptions> ParseServeOptions(const std::vector<std::string>& arguments);
// Serves until it is killed; returns errors of the start only. Prints its address to stdout.
Status RunServer(const ServeOptions& options);

// The folder of a session's own: its working directory and TMPDIR, removed when it has ended,
// however that was.
std::string SessionFolder(const std::string& cache, int pid);

// serve_connection.cc: the life of one connection's process.
struct ConnectionContext {
  const ServeOptions& options;
  std::string match_key;  // with a tracker: the only key that is served now
  int announce_fd = -1;   // gets a byte when a session begins
  std::function<std::string(int64_t pid)> how_ended;
};
[[noreturn]] void ServeOneConnection(Socket socket, const ConnectionContext& context);

}  // namespace mutatenn
