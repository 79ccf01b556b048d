// A worker of one `mutatenn-worker serve`, or one brought to TVM's own RPC server, behind the
// Session face. Files that a message names are sent first, once each and by content; the message
// then names them as the server does.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "device/file_names.h"
#include "device/json_session.h"
#include "device/relay.h"
#include "device/tvm_server.h"
#include "device/wire.h"
#include "tvm/runtime.h"

namespace mutatenn {

struct NetworkOptions {
  Address address;
  std::string match_key;  // from a tracker, or the --key of TVM's own server
  std::string secret;     // "" = none
  std::optional<TvmServerOptions> tvm_server = {};  // it is TVM's own
  double timeout_s = 600;  // for an answer, beyond what a call may wait by itself
  int64_t after = 0;       // pid of the worker lost there before
};

class NetworkSession : public JsonSession {
 public:
  static Result<std::unique_ptr<NetworkSession>> Open(const NetworkOptions& options);
  ~NetworkSession() override;

  Result<Begun> Begin(const BeginRequest& request) override;
  Result<LoadReply> Load(const LoadRequest& request) override;
  Result<std::vector<OriginalRun>> SetImages(const std::vector<ImageInput>& images) override;
  Status Submit(const std::vector<MutantJob>& jobs) override;
  Result<std::vector<MutantDone>> Collect(double wait_s) override;
  Result<std::vector<StepFloor>> Floors(const FloorRequest& request) override;
  Result<std::vector<RepeatedRun>> Repeat(const std::vector<ImageInput>& images, int runs) override;
  Result<WorkerStats> Stats() override;
  // Submit and Collect in one request, which is answered once only `enough` mutants are left, or
  // some time after the first has finished.
  Result<std::vector<MutantDone>> Work(const std::vector<MutantJob>& jobs, double wait_s,
                                       size_t enough);

  // How the worker of `after` ended, as the server saw it; "" = not known.
  const std::string& ended() const { return ended_; }
  int64_t bytes_sent() const { return bytes_sent_; }
  // Ways to the server and back so far: calls, and what moves files.
  int round_trips() const { return round_trips_; }

 private:
  NetworkSession() = default;
  Status Greet();     // mutatenn-worker serve
  Status EnterTvm();  // TVM's own server
  // `key`: the server's; "" where our end answers TVM's handshake.
  Status ConnectTvm(Socket socket, const std::string& key, double patience_s);
  Status Connected();  // waits for Greet's connection
  Result<Json> Call(const std::string& function, const Json& argument) override;
  // The file's name on the server, noting that it has to be there.
  Result<std::string> NameThere(const std::string& path);
  NameFile NameThere();
  Result<LoadRequest> Theirs(const LoadRequest& request);
  Result<std::vector<ImageInput>> Theirs(const std::vector<ImageInput>& images);
  // What is not there yet. Weights and inputs are asked for first, since mostly they are there;
  // what is made for this campaign alone goes along with the next call. So does what is missing,
  // where it is little.
  enum class Kept { kLong, kShort };
  Status SendNoted(Kept kept);
  Result<std::map<std::string, std::string>> SmallNoted();
  Result<std::vector<MutantJob>> Renamed(const std::vector<MutantJob>& jobs);
  Error Lost(const std::string& symptom);

  NetworkOptions options_;
  Socket files_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<RemoteSession> remote_;  // ends before the relay
  std::future<Status> connecting_;         // sets remote_
  std::optional<TvmServer> tvm_server_;
  std::string root_;  // there
  std::string local_root_;
  std::map<std::string, std::string> names_;  // path here -> name there
  std::map<std::string, std::string> noted_;  // name -> path; not sent yet
  std::set<std::string> sent_;
  double patience_s_ = 0;  // of the call under way, beyond timeout_s
  int64_t bytes_sent_ = 0;
  int round_trips_ = 0;
  std::optional<WorkerStats> stats_;  // as they came with the last answer
  std::string ended_;
  std::string gone_;  // not empty: every call fails with this
};

}  // namespace mutatenn
