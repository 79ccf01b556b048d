// Greeting or upload, relay and TVM's RPC to one server; paths of this machine to names by content.
#include "device/network_session.h"

#include <algorithm>
#include <filesystem>
#include <future>

#include "base/clock.h"
#include "base/files.h"
#include "device/inline_files.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr double kConnect_s = 10;
constexpr double kLinger_s = 0.1;
constexpr uintmax_t kInlineBytes = 256 << 10;  // more is worth asking which of it is there

constexpr double kEnter_s =
    20;  // TVM's own server answers at once, or is busy with another session

struct Greeted {
  Socket socket;
  ServerHello hello;
};

Result<Greeted> GreetAs(const NetworkOptions& options, Purpose purpose) {
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
  TRY(options.tvm_server ? session->EnterTvm() : session->Greet());
  return session;
}

Status NetworkSession::ConnectTvm(Socket socket, const std::string& key, double patience_s) {
  relay_ = TRY(Relay::Start(std::move(socket)));
  relay_->SetDeadline(patience_s);
  remote_ = TRY(Connect("127.0.0.1", relay_->port(), key).With(options_.address.Text()));
  relay_->SetDeadline(0);
  return Ok();
}

Status NetworkSession::Greet() {
  // Both at once: each takes three ways to the server and back.
  auto files = std::async(std::launch::async | std::launch::deferred,
                          [this] { return GreetAs(options_, Purpose::kFiles); });
  Greeted rpc = TRY(GreetAs(options_, Purpose::kSession));
  ended_ = rpc.hello.ended;
  root_ = rpc.hello.root;
  TRY(ConnectTvm(std::move(rpc.socket), rpc.hello.tvm_key, options_.timeout_s));
  files_ = std::move(TRY(files.get()).socket);
  return Ok();
}

Status NetworkSession::EnterTvm() {
  Socket socket = TRY(ConnectTcp(options_.address, kConnect_s));
  const std::string& key = options_.match_key;
  Status entered = ConnectTvm(std::move(socket), key, std::min(kEnter_s, options_.timeout_s));
  if (!entered.ok() && relay_ != nullptr && !relay_->problem().empty())
    return Fail(Code::kUnavailable, options_.address.Text(),
                ": TVM's RPC server does not let us "
                "in: it serves somebody else, asks for another key, or serves nobody any more, as "
                "after a session that crashed (then start it again)");
  TRY(std::move(entered));
  tvm_server_.emplace(*options_.tvm_server, *remote_, *relay_, options_.timeout_s);
  root_ = TRY(tvm_server_->Begin().With(options_.address.Text()));
  return Ok();
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
  TRY(SendNoted(Kept::kLong));
  return JsonSession::Load(theirs);
}

Result<std::vector<OriginalRun>> NetworkSession::SetImages(const std::vector<ImageInput>& images) {
  std::vector<ImageInput> theirs = images;
  for (ImageInput& image : theirs) image.file = root_ + "/" + TRY(NameThere(image.file));
  TRY(SendNoted(Kept::kLong));
  return JsonSession::SetImages(theirs);
}

Result<std::vector<MutantJob>> NetworkSession::Renamed(const std::vector<MutantJob>& jobs) {
  std::vector<MutantJob> theirs = jobs;
  for (MutantJob& job : theirs) TRY(RenameFiles(job.program, NameThere()));
  TRY(SendNoted(Kept::kShort));
  return theirs;
}

Status NetworkSession::Submit(const std::vector<MutantJob>& jobs) {
  return JsonSession::Submit(TRY(Renamed(jobs)));
}

Result<std::vector<MutantDone>> NetworkSession::Collect(double wait_s) {
  return Work({}, wait_s, 0);
}

Result<std::vector<MutantDone>> NetworkSession::Work(const std::vector<MutantJob>& jobs,
                                                     double wait_s, size_t enough) {
  Json list = Json::array();
  for (const MutantJob& job : TRY(Renamed(jobs))) list.push_back(ToJson(job));
  patience_s_ = wait_s;
  Result<Json> done =
      Call("mutatenn.work",
           {{"jobs", list}, {"wait_s", wait_s}, {"linger_s", kLinger_s}, {"enough", enough}});
  patience_s_ = 0;
  return MutantDonesFromJson(TRY(std::move(done)));
}

Result<std::vector<RepeatedRun>> NetworkSession::Repeat(const std::vector<ImageInput>& images,
                                                        int runs) {
  std::vector<ImageInput> theirs = images;
  for (ImageInput& image : theirs) image.file = root_ + "/" + TRY(NameThere(image.file));
  TRY(SendNoted(Kept::kLong));
  patience_s_ = runs * options_.timeout_s;
  Result<std::vector<RepeatedRun>> repeated = JsonSession::Repeat(theirs, runs);
  patience_s_ = 0;
  return repeated;
}

Result<std::vector<StepFloor>> NetworkSession::Floors(const FloorRequest& request) {
  FloorRequest theirs = request;
  TRY(RenameFiles(theirs, NameThere()));
  TRY(SendNoted(Kept::kShort));
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

Status NetworkSession::SendNoted(Kept kept) {
  if (!gone_.empty()) return Fail(Code::kUnavailable, gone_);
  if (noted_.empty()) return Ok();
  std::error_code ignored;
  uintmax_t bytes = 0;
  for (const auto& [name, path] : noted_) bytes += fs::file_size(path, ignored);
  if (kept == Kept::kShort && bytes <= kInlineBytes) return Ok();
  round_trips_ += 2;
  std::vector<std::string> names;
  for (const auto& [name, path] : noted_) names.push_back(name);
  Error unreadable{Code::kInternal, ""};  // on this machine
  auto read = [&](size_t i) -> Result<std::string> {
    Result<std::string> bytes = ReadFile(noted_.at(names[i]));
    if (!bytes.ok()) unreadable = bytes.error();
    return bytes;
  };
  Status status = tvm_server_ ? tvm_server_->SendFiles(names, read, &bytes_sent_)
                              : SendFiles(files_, names, read, &bytes_sent_);
  if (!unreadable.message.empty()) return unreadable;
  if (!status.ok()) return Lost(status.error().message);
  sent_.insert(names.begin(), names.end());
  noted_.clear();
  return Ok();
}

Result<std::map<std::string, std::string>> NetworkSession::SmallNoted() {
  std::map<std::string, std::string> files;
  for (const auto& [name, path] : noted_) {
    std::string& bytes = files[name] = TRY(ReadFile(path));
    bytes_sent_ += std::ssize(bytes);
  }
  noted_.clear();
  return files;
}

Result<Json> NetworkSession::Call(const std::string& function, const Json& argument) {
  if (!gone_.empty()) return Fail(Code::kUnavailable, gone_);
  AddSeconds timer(messages_s_, CLOCK_THREAD_CPUTIME_ID);
  const std::map<std::string, std::string> files = TRY(SmallNoted());
  ++round_trips_;
  relay_->SetDeadline(options_.timeout_s + patience_s_);
  Result<std::string> answer =
      files.empty()
          ? remote_->Call(function, DumpJson(argument))
          : remote_->Call("mutatenn.with", WithFiles({function, DumpJson(argument)}, root_, files));
  relay_->SetDeadline(0);
  for (const auto& [name, bytes] : files) sent_.insert(name);
  if (answer.ok()) return OpenReply(*answer);
  if (answer.error().code != Code::kUnavailable) return answer.error().With(function);
  std::string problem = relay_->problem();
  return Lost(problem.empty() ? answer.error().message : problem);
}

Error NetworkSession::Lost(const std::string& symptom) {
  gone_ = options_.address.Text() + ": " + symptom;
  if (tvm_server_)
    gone_ +=
        " (TVM's RPC server serves nobody any more after a session that crashed: start it "
        "again where it does not answer)";
  return Fail(Code::kUnavailable, gone_);
}

}  // namespace mutatenn
