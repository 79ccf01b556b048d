// Greeting, relay and TVM's RPC to one server; paths of this machine to names by content.
#include "device/network_session.h"

#include <filesystem>

#include "base/clock.h"
#include "base/files.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr double kConnect_s = 10;
constexpr double kLinger_s = 0.1;

struct Greeted {
  Socket socket;
  ServerHello hello;
};

Result<Greeted> Greet(const NetworkOptions& options, Purpose purpose) {
  Greeted greeted;
  greeted.socket = TRY(ConnectTcp(options.address, kConnect_s));
  Result<ServerHello> hello =
      GreetServer(greeted.socket, {purpose, options.match_key, options.after}, options.secret);
  if (!hello.ok()) return hello.error().With(options.address.Text());
  greeted.hello = *hello;
  return greeted;
}

}  // namespace

Result<std::unique_ptr<NetworkSession>> NetworkSession::Open(const NetworkOptions& options) {
  std::unique_ptr<NetworkSession> session(new NetworkSession);
  session->options_ = options;
  Greeted rpc = TRY(Greet(options, Purpose::kSession));
  session->ended_ = rpc.hello.ended;
  session->root_ = rpc.hello.root;
  session->relay_ = TRY(Relay::Start(std::move(rpc.socket)));
  session->relay_->SetDeadline(options.timeout_s);
  Result<std::unique_ptr<RemoteSession>> remote =
      Connect("127.0.0.1", session->relay_->port(), rpc.hello.tvm_key);
  if (!remote.ok()) return remote.error().With(options.address.Text());
  session->relay_->SetDeadline(0);
  session->remote_ = std::move(remote).value();
  session->files_ = std::move(TRY(Greet(options, Purpose::kFiles)).socket);
  return session;
}

NetworkSession::~NetworkSession() {
  if (relay_ != nullptr) relay_->SetDeadline(kConnect_s);  // TVM says good-bye, and waits for it
  remote_.reset();
}

Result<LoadReply> NetworkSession::Load(const LoadRequest& request) {
  LoadRequest theirs = request;
  local_root_ = request.root;
  theirs.root = root_;
  theirs.scratch.clear();
  TRY(RenameFiles(theirs.program, NameThere()));
  TRY(SendNoted());
  return JsonSession::Load(theirs);
}

Result<std::vector<OriginalRun>> NetworkSession::SetImages(const std::vector<ImageInput>& images) {
  std::vector<ImageInput> theirs = images;
  for (ImageInput& image : theirs) image.file = root_ + "/" + TRY(NameThere(image.file));
  TRY(SendNoted());
  return JsonSession::SetImages(theirs);
}

Status NetworkSession::Submit(const std::vector<MutantJob>& jobs) {
  std::vector<MutantJob> theirs = jobs;
  for (MutantJob& job : theirs) TRY(RenameFiles(job.program, NameThere()));
  TRY(SendNoted());
  return JsonSession::Submit(theirs);
}

Result<std::vector<MutantDone>> NetworkSession::Collect(double wait_s) {
  patience_s_ = wait_s;
  Result<Json> list = Call("mutatenn.collect", {{"wait_s", wait_s}, {"linger_s", kLinger_s}});
  patience_s_ = 0;
  return MutantDonesFromJson(TRY(std::move(list)));
}

Result<std::vector<StepFloor>> NetworkSession::Floors(const FloorRequest& request) {
  FloorRequest theirs = request;
  TRY(RenameFiles(theirs, NameThere()));
  TRY(SendNoted());
  return JsonSession::Floors(theirs);
}

NameFile NetworkSession::NameThere() {
  return [this](const std::string& name) { return NameThere(fs::path(local_root_) / name); };
}

Result<std::string> NetworkSession::NameThere(const std::string& path) {
  auto known = names_.find(path);
  if (known == names_.end())
    known = names_.emplace(path, ContentName(path, TRY(ReadFile(path)))).first;
  if (!sent_.contains(known->second)) noted_[known->second] = path;
  return known->second;
}

Status NetworkSession::SendNoted() {
  if (!gone_.empty()) return Fail(Code::kUnavailable, gone_);
  if (noted_.empty()) return Ok();
  std::vector<std::string> names;
  for (const auto& [name, path] : noted_) names.push_back(name);
  Error unreadable{Code::kInternal, ""};  // on this machine
  auto read = [&](size_t i) -> Result<std::string> {
    Result<std::string> bytes = ReadFile(noted_.at(names[i]));
    if (!bytes.ok()) unreadable = bytes.error();
    return bytes;
  };
  Status status = SendFiles(files_, names, read, &bytes_sent_);
  if (!unreadable.message.empty()) return unreadable;
  if (!status.ok()) return Lost(status.error().message);
  sent_.insert(names.begin(), names.end());
  noted_.clear();
  return Ok();
}

Result<Json> NetworkSession::Call(const std::string& function, const Json& argument) {
  if (!gone_.empty()) return Fail(Code::kUnavailable, gone_);
  AddSeconds timer(messages_s_, CLOCK_THREAD_CPUTIME_ID);
  relay_->SetDeadline(options_.timeout_s + patience_s_);
  Result<std::string> answer = remote_->Call(function, DumpJson(argument));
  relay_->SetDeadline(0);
  if (answer.ok()) return OpenReply(*answer);
  if (answer.error().code != Code::kUnavailable) return answer.error().With(function);
  std::string problem = relay_->problem();
  return Lost(problem.empty() ? answer.error().message : problem);
}

Error NetworkSession::Lost(const std::string& symptom) {
  gone_ = options_.address.Text() + ": " + symptom;
  return Fail(Code::kUnavailable, gone_);
}

}  // namespace mutatenn
