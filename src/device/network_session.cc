// Greeting or upload, relay and TVM's RPC to one server; paths of this machine to names by content.
#include "device/network_session.h"

#include <algorithm>
#include <filesystem>
#include <future>

#include "base/clock.h"
#include "base/files.h"
#include "base/hmac.h"
#include "device/begin.h"
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
  const bool tvm = options_.tvm_server.has_value();
  const std::string own = TRY(RandomHex(16));
  relay_ = TRY(Relay::Start(std::move(socket), tvm ? "" : own));
  relay_->SetDeadline(patience_s);
  auto connect = [this, key = tvm ? key : own]() -> Status {
    remote_ = TRY(Connect("127.0.0.1", relay_->port(), key).With(options_.address.Text()));
    if (!options_.tvm_server) TRY(remote_->Prepare());
    relay_->SetDeadline(0);
    return Ok();
  };
  if (tvm) return connect();
  // Two more ways there and back, while the caller asks which files are missing.
  connecting_ = std::async(std::launch::async | std::launch::deferred, std::move(connect));
  return Ok();
}

Status NetworkSession::Connected() {
  if (!connecting_.valid()) return Ok();
  Status status = connecting_.get();
  if (status.ok()) return status;
  const std::string problem = relay_->problem();
  return Lost(problem.empty() ? status.error().message : problem);
}

Status NetworkSession::Greet() {
  // Both at once: each takes two ways to the server and back, three with a secret.
  auto files = std::async(std::launch::async | std::launch::deferred,
                          [this] { return GreetAs(options_, Purpose::kFiles); });
  Greeted rpc = TRY(GreetAs(options_, Purpose::kSession));
  ended_ = rpc.hello.ended;
  root_ = rpc.hello.root;
  TRY(ConnectTvm(std::move(rpc.socket), "", options_.timeout_s));
  files_ = std::move(TRY(files.get()).socket);
  return Ok();
}

Status NetworkSession::EnterTvm() {
  Socket socket = TRY(ConnectTcp(options_.address, kConnect_s));
  const std::string& key = options_.match_key;
  Status entered = ConnectTvm(std::move(socket), key, std::min(kEnter_s, options_.timeout_s));
  if (!entered.ok() && relay_ != nullptr)
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
  if (relay_ == nullptr) return;
  // TVM says good-bye and waits for the answer. Our server takes the end of a connection between
  // two messages for one.
  if (tvm_server_)
    relay_->SetDeadline(kConnect_s);
  else
    relay_->Close();
  if (connecting_.valid()) connecting_.wait();
  remote_.reset();
}

Result<LoadRequest> NetworkSession::Theirs(const LoadRequest& request) {
  LoadRequest theirs = request;
  local_root_ = request.root;
  theirs.root = root_;
  theirs.scratch.clear();
  TRY(RenameFiles(theirs.program, NameThere()));
  return theirs;
}

Result<std::vector<ImageInput>> NetworkSession::Theirs(const std::vector<ImageInput>& images) {
  std::vector<ImageInput> theirs = images;
  for (ImageInput& image : theirs) image.file = root_ + "/" + TRY(NameThere(image.file));
  return theirs;
}

Result<Begun> NetworkSession::Begin(const BeginRequest& request) {
  BeginRequest theirs = request;
  theirs.load = TRY(Theirs(request.load));
  theirs.images = TRY(Theirs(request.images));
  if (theirs.floors) TRY(RenameFiles(*theirs.floors, NameThere()));
  TRY(SendNoted(Kept::kLong));
  patience_s_ = (request.repeats + 1) * options_.timeout_s;
  Result<Json> begun = Call("mutatenn.begin", ToJson(theirs));
  patience_s_ = 0;
  return BegunFromJson(TRY(std::move(begun)));
}

Result<LoadReply> NetworkSession::Load(const LoadRequest& request) {
  const LoadRequest theirs = TRY(Theirs(request));
  TRY(SendNoted(Kept::kLong));
  return JsonSession::Load(theirs);
}

Result<std::vector<OriginalRun>> NetworkSession::SetImages(const std::vector<ImageInput>& images) {
  const std::vector<ImageInput> theirs = TRY(Theirs(images));
  TRY(SendNoted(Kept::kLong));
  return JsonSession::SetImages(theirs);
}

Result<WorkerStats> NetworkSession::Stats() {
  if (!stats_) return JsonSession::Stats();
  WorkerStats stats = *stats_;
  stats.rpc_s += messages_s_;
  return stats;
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
  const Json answer = TRY(std::move(done));
  if (!answer.is_object() || !answer.contains("done") || !answer.contains("stats"))
    return Fail(Code::kInvalidInput, "an answer with results is damaged");
  stats_ = TRY(WorkerStatsFromJson(answer["stats"]));
  return MutantDonesFromJson(answer["done"]);
}

Result<std::vector<RepeatedRun>> NetworkSession::Repeat(const std::vector<ImageInput>& images,
                                                        int runs) {
  const std::vector<ImageInput> theirs = TRY(Theirs(images));
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
  std::vector<std::string> names;
  for (const auto& [name, path] : noted_) names.push_back(name);
  Error unreadable{Code::kInternal, ""};  // on this machine
  auto read = [&](size_t i) -> Result<std::string> {
    Result<std::string> bytes = ReadFile(noted_.at(names[i]));
    if (!bytes.ok()) unreadable = bytes.error();
    return bytes;
  };
  // Little goes along with the call that needs it.
  std::set<std::string> later;
  auto wanted = [&](const std::vector<size_t>& missing) {
    uintmax_t sum = 0;
    for (size_t i : missing) sum += fs::file_size(noted_.at(names[i]), ignored);
    if (sum > kInlineBytes) {
      ++round_trips_;
      return missing;
    }
    for (size_t i : missing) later.insert(names[i]);
    return std::vector<size_t>{};
  };
  ++round_trips_;
  Status status = tvm_server_ ? tvm_server_->SendFiles(names, read, &bytes_sent_)
                              : SendFiles(files_, names, read, &bytes_sent_, wanted);
  if (!unreadable.message.empty()) return unreadable;
  if (!status.ok()) return Lost(status.error().message);
  for (const std::string& name : names) {
    if (later.contains(name)) continue;
    sent_.insert(name);
    noted_.erase(name);
  }
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
  TRY(Connected());
  const std::map<std::string, std::string> files = TRY(SmallNoted());
  stats_.reset();
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
