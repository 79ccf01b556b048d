// How a client and `mutatenn-worker serve` begin to talk, before TVM's RPC or files follow on the
// same connection:
//   client: "MNN1", {purpose, key, nonce, after}
//   server: {protocol, challenge, secret: whether one is asked for}
//   client, where one is: {proof}
//   server: {proof, root, ended} or {error}
// so that a server without a secret is reached in one way there and back. A proof is the
// HMAC-SHA256 of everything said so far under the shared secret, so that both ends know it and
// neither says it. Nothing is encrypted: docs/devices.md says what that means.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/socket.h"
#include "device/file_cache.h"

namespace mutatenn {

enum class Purpose { kSession, kFiles };

struct ClientHello {
  Purpose purpose = Purpose::kSession;
  std::string key;    // the tracker's match key, "" without a tracker
  int64_t after = 0;  // pid of this client's last worker there, which was lost
};
struct ServerHello {
  std::string root;   // folder of the files that were sent, on the server
  std::string ended;  // how the worker of `after` ended; "" = not known
};

// The client's end. kInvalidInput: the server refuses us, or asks for (no) secret.
Result<ServerHello> GreetServer(const Socket& socket, const ClientHello& hello,
                                const std::string& secret);
// The server's end, in two halves.
Result<ClientHello> HearClient(const Socket& socket, const std::string& secret, std::string* said);
Status Welcome(const Socket& socket, const ServerHello& hello, const std::string& secret,
               const std::string& said);
// `for_now`: the client may try again.
void Refuse(const Socket& socket, const std::string& why, bool for_now = false);

// Sends what the server lacks, on a connection of purpose kFiles. `read` gives a file's bytes.
// `wanted` is told which are missing and returns those to send now (a list of indices); by default
// all.
Status SendFiles(
    const Socket& socket, const std::vector<std::string>& names,
    const std::function<Result<std::string>(size_t)>& read, int64_t* bytes_sent,
    const std::function<std::vector<size_t>(const std::vector<size_t>& missing)>& wanted = nullptr);
// Serves SendFiles into `folder` until the client leaves.
Status ReceiveFiles(const Socket& socket, const std::string& folder);

}  // namespace mutatenn
