// One queue, a thread a server.
#include "device/farm.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "device/begin.h"
#include "device/farm_originals.h"
#include "device/farm_server.h"
#include "device/network_session.h"

namespace mutatenn {
namespace {

constexpr int kDepthPerJob = 32;  // keeps a worker busy while an answer is on its way
constexpr double kCollectWait_s = 0.25;
constexpr double kLongestPause_s = 30;
constexpr int kLossesOfAMutant = 2;

class Farm : public Session {
 public:
  Farm(const FarmOptions& options, int count) : options_(options) {
    for (int i = 0; i < count; ++i) {
      members_.emplace_back();
      Member& member = members_.back();
      member.name = options_.tracker ? fmt::format("{} {}", options_.key, i + 1)
                                     : options_.servers[static_cast<size_t>(i)].Text();
      if (!options_.tracker) member.address = options_.servers[static_cast<size_t>(i)];
    }
    // Signals are for the campaign's own thread.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    for (Member& member : members_) member.thread = std::thread([this, &member] { Live(member); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~Farm() override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    for (Member& member : members_) member.thread.join();
  }

  Result<WorkerHello> Hello() override {
    return OfAnyOpened([](Session& session) { return session.Hello(); });
  }

  Result<WorkerSpeed> Speed() override {
    return OfAnyOpened([](Session& session) { return session.Speed(); });
  }

  // Needs no program.
  template <class F>
  auto OfAnyOpened(F&& ask) -> decltype(ask(std::declval<Session&>())) {
    std::unique_lock<std::mutex> lock(mutex_);
    auto opened = [](const Member& m) { return m.opened; };
    TRY(Await(lock, [&] { return std::any_of(members_.begin(), members_.end(), opened); }));
    Member& member = *std::find_if(members_.begin(), members_.end(), opened);
    lock.unlock();
    std::lock_guard<std::mutex> calling(member.calling);
    if (member.session == nullptr) return Fail(Code::kUnavailable, member.name, " was lost");
    return ask(*member.session);
  }

  Result<LoadReply> Load(const LoadRequest& request) override {
    std::unique_lock<std::mutex> lock(mutex_);
    request_ = request;
    ++load_generation_;
    reply_.reset();
    probed_ = nullptr;
    ForgetImages();
    TRY(Await(lock, [this] { return reply_.has_value(); }));
    return *reply_;
  }

  // One message to each server. What they answer is compared before any of them takes a mutant.
  Result<Begun> Begin(const BeginRequest& request) override {
    if (request.images.empty()) return Session::Begin(request);
    std::unique_lock<std::mutex> lock(mutex_);
    request_ = request.load;
    ++load_generation_;
    reply_.reset();
    probed_ = nullptr;
    ForgetImages();
    begin_ = request;
    if (members_.size() > 1) begin_->floors.reset();  // one of them is enough
    ++image_generation_;
    auto begun = [](const Member& m) { return m.begun.has_value(); };
    Status came = Await(lock, [&] {
      return std::any_of(members_.begin(), members_.end(), begun) &&
             std::all_of(members_.begin(), members_.end(),
                         [&](const Member& m) { return begun(m) || !Coming(m); });
    });
    begin_.reset();
    TRY(std::move(came));
    std::vector<Member*> members;
    for (Member& member : members_)
      if (member.begun) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const Member* a, const Member* b) { return a->arrival < b->arrival; });
    std::vector<ServerOriginals> answers;
    for (const Member* member : members)
      answers.push_back({member->name, member->begun->runs, member->begun->repeated});
    const size_t first = MostAgreed(answers);
    std::swap(members[0], members[first]);
    std::swap(answers[0], answers[first]);
    provider_ = members[0];
    Begun all = std::move(*provider_->begun);
    LeaveOutWrong(members, answers);
    for (Member& member : members_) member.begun.reset();
    reply_ = all.reply;
    runs_ = all.runs;
    images_ = request.images;
    images_.resize(std::min(images_.size(), all.runs.size()));
    all.repeated = Together(std::move(answers));
    changed_.notify_all();
    if (members_.size() == 1 || !request.floors) return all;
    lock.unlock();
    auto floors = Floors(FloorsOn(*request.floors, images_, request.floor_images));
    if (!floors.ok() && floors.error().code != Code::kUnsupported) return floors.error();
    if (floors.ok()) all.floors = std::move(floors).value();
    return all;
  }

  Result<std::vector<OriginalRun>> SetImages(const std::vector<ImageInput>& images) override {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!reply_) return Fail(Code::kInvalidInput, "no program is loaded");
    if (!losses_.empty()) return Fail(Code::kInvalidInput, "mutants of the last chunk are waiting");
    ForgetImages();
    images_ = images;
    ++image_generation_;
    TRY(Await(lock, [this] { return !runs_.empty() || images_.empty(); }));
    return runs_;
  }

  Status Submit(const std::vector<MutantJob>& jobs) override {
    std::unique_lock<std::mutex> lock(mutex_);
    for (const MutantJob& job : jobs)
      for (const std::string& image : job.images)
        if (std::none_of(runs_.begin(), runs_.end(),
                         [&](const OriginalRun& run) { return run.image == image; }))
          return Fail(Code::kInvalidInput, "mutant ", job.program.mutant, ": image '", image,
                      "' is not of the loaded chunk");
    for (const MutantJob& job : jobs) {
      queue_.push_back(job);
      losses_[job.program.mutant];
    }
    changed_.notify_all();
    return Ok();
  }

  Result<std::vector<MutantDone>> Collect(double wait_s) override {
    std::unique_lock<std::mutex> lock(mutex_);
    auto ready = [this] { return !done_.empty() || losses_.empty() || fatal_ || Alive() == 0; };
    changed_.wait_for(lock, std::chrono::duration<double>(wait_s), ready);
    if (!done_.empty()) return std::exchange(done_, {});
    if (fatal_) return *fatal_;
    if (!losses_.empty() && Alive() == 0) return NobodyLeft();
    return std::vector<MutantDone>{};
  }

  Result<std::vector<std::vector<float>>> Outputs(const std::string& image) override {
    return OfOne([&](Session& session) { return session.Outputs(image); });
  }

  Result<std::vector<WorkerOutputs>> EveryOutput(const std::string& image) override {
    std::vector<Member*> asked;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      TRY(AwaitImages(lock));
      const OriginalRun* first = RunOf(runs_, image);
      for (Member& member : members_) {
        const OriginalRun* run = RunOf(member.runs, image);
        if (first == nullptr || run == nullptr || member.images != image_generation_) continue;
        if (&member == provider_)
          asked.insert(asked.begin(), &member);
        else if (!SameResult(*run, *first) || run->noisy || first->noisy)
          asked.push_back(&member);
      }
    }
    std::vector<WorkerOutputs> all;
    for (Member* member : asked) {
      std::lock_guard<std::mutex> session(member->calling);
      if (member->session == nullptr) continue;
      all.push_back({member->name, TRY(member->session->Outputs(image))});
    }
    if (all.empty()) return Session::EveryOutput(image);  // the first is lost, the others agree
    return all;
  }

  // One message to each server, to all at a time.
  Result<std::vector<RepeatedRun>> Repeat(const std::vector<ImageInput>& images,
                                          int runs) override {
    std::vector<Member*> asked;
    std::vector<ServerOriginals> answers;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      TRY(AwaitImages(lock));
      for (Member& member : members_) {
        if (member.images != image_generation_ || !member.wrong.empty()) continue;
        asked.insert(&member == provider_ ? asked.begin() : asked.end(), &member);
      }
      for (const Member* member : asked) answers.push_back({member->name, member->runs, {}});
    }
    std::vector<std::future<Result<std::vector<RepeatedRun>>>> calls;
    for (Member* member : asked)
      calls.push_back(std::async(std::launch::async | std::launch::deferred,
                                 [member, &images, runs]() -> Result<std::vector<RepeatedRun>> {
                                   std::lock_guard<std::mutex> calling(member->calling);
                                   if (member->session == nullptr)
                                     return Fail(Code::kUnavailable, member->name, " was lost");
                                   return member->session->Repeat(images, runs);
                                 }));
    std::optional<Error> lost;
    for (size_t i = 0; i < calls.size(); ++i) {
      Result<std::vector<RepeatedRun>> repeated = calls[i].get();
      if (repeated.ok())
        answers[i].repeated = std::move(repeated).value();
      else if (repeated.error().code != Code::kUnavailable)
        lost = repeated.error();
    }
    if (lost) return *lost;
    for (size_t i = answers.size(); i-- > 0;) {
      if (!answers[i].repeated.empty()) continue;
      asked.erase(asked.begin() + static_cast<long>(i));
      answers.erase(answers.begin() + static_cast<long>(i));
    }
    if (answers.empty()) return Fail(Code::kUnavailable, "no server has the images");
    {
      std::lock_guard<std::mutex> lock(mutex_);
      LeaveOutWrong(asked, answers);
    }
    changed_.notify_all();
    return Together(std::move(answers));
  }

  Result<std::vector<StepFloor>> Floors(const FloorRequest& request) override {
    return OfOne([&](Session& session) { return session.Floors(request); });
  }

  Result<std::vector<ImageHashes>> Hashes(const std::vector<std::string>& images) override {
    return OfOne([&](Session& session) { return session.Hashes(images); });
  }

  // All probes of a program go to one server: it keeps their values.
  Result<Probed> Run(const Probe& probe) override {
    Member* member = nullptr;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (Member& one : members_)
        if (probed_ == nullptr && one.loaded == load_generation_) probed_ = &one;
      member = probed_;
    }
    if (member == nullptr) return Fail(Code::kUnavailable, "no server has the program");
    std::lock_guard<std::mutex> session(member->calling);
    if (member->session == nullptr) return Fail(Code::kUnavailable, member->name, " was lost");
    return member->session->Run(probe);
  }

  Result<WorkerStats> Stats() override {
    WorkerStats sum;
    for (Member& member : members_) {
      std::lock_guard<std::mutex> session(member.calling);
      if (member.session == nullptr) continue;
      Result<WorkerStats> stats = member.session->Stats();
      if (stats.ok()) Add(*stats, &sum);
    }
    return sum;
  }

  int workers() const override {
    std::lock_guard<std::mutex> lock(mutex_);
    return std::max(1, Alive());
  }

  std::vector<std::string> TakeNotices() override {
    std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(notices_, {});
  }
  std::vector<std::string> TakeFindings() override {
    std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(findings_, {});
  }

 private:
  struct Member {
    std::string name;
    std::optional<Address> address;  // from the tracker: of the session
    std::thread thread;
    std::mutex calling;  // held by whoever uses `session`
    std::unique_ptr<NetworkSession> session;
    bool opened = false;
    int loaded = 0, images = 0;     // generations
    std::vector<OriginalRun> runs;  // of the loaded images
    int64_t pid = 0;                // of its worker
    std::optional<Begun> begun;     // its answer to begin_
    int arrival = 0;                // of that answer
    std::string wrong;              // how its original differs: it takes no mutants
    std::map<std::string, MutantJob> running;
    int failures = 0;  // in a row
    std::string quarantined;
  };

  // Of the servers that answered: those whose original is not the first one's take no mutants, and
  // their answers do not count. With mutex_ held.
  static void LeaveOutWrong(const std::vector<Member*>& members,
                            std::vector<ServerOriginals>& answers) {
    for (size_t i = answers.size(); i-- > 1;) {
      const std::string why = Disagreement(answers[i], answers[0]);
      if (why.empty()) continue;
      members[i]->wrong = why;
      answers.erase(answers.begin() + static_cast<long>(i));
    }
  }

  // Asks one server that has the loaded images.
  template <class F>
  auto OfOne(F&& ask) -> decltype(ask(std::declval<Session&>())) {
    for (Member& member : members_) {
      std::lock_guard<std::mutex> session(member.calling);
      if (member.session == nullptr) continue;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        if (member.images != image_generation_) continue;
      }
      return ask(*member.session);
    }
    return Fail(Code::kUnavailable, "no server has the images");
  }

  // --- All of these: with mutex_ held ---
  int Alive() const {
    return static_cast<int>(std::count_if(members_.begin(), members_.end(),
                                          [](const Member& m) { return m.quarantined.empty(); }));
  }
  Error NobodyLeft() const {
    std::string why;
    for (const Member& member : members_) why += (why.empty() ? "" : "; ") + member.quarantined;
    return Fail(Code::kUnavailable, why);
  }
  void ForgetImages() {
    begin_.reset();
    runs_.clear();
    images_.clear();
    provider_ = nullptr;
    for (Member& member : members_) {
      member.images = 0;
      member.begun.reset();
    }
  }
  // Not one that is lost, or that no tracker has offered: it may come after anything that is
  // measured now.
  bool Coming(const Member& m) const {
    return m.failures == 0 && m.quarantined.empty() && (m.opened || !options_.tracker);
  }
  Status AwaitImages(std::unique_lock<std::mutex>& lock) {
    return Await(lock, [&] {
      return std::all_of(members_.begin(), members_.end(), [&](const Member& m) {
        return m.images == image_generation_ || (m.loaded != load_generation_ && !Coming(m));
      });
    });
  }
  static const OriginalRun* RunOf(const std::vector<OriginalRun>& runs, const std::string& image) {
    for (const OriginalRun& run : runs)
      if (run.image == image) return &run;
    return nullptr;
  }
  template <class F>
  Status Await(std::unique_lock<std::mutex>& lock, F&& ready) {
    changed_.notify_all();  // there is something to do
    changed_.wait(lock, [&] { return ready() || fatal_ || Alive() == 0; });
    if (ready()) return Ok();
    if (fatal_) return *fatal_;
    return NobodyLeft();
  }
  void HandBack(Member& member, const std::string& why) {
    for (auto& [name, job] : member.running) {
      if (++losses_[name] < kLossesOfAMutant) {
        queue_.push_front(std::move(job));
        continue;
      }
      done_.push_back({.mutant = name, .tool_error = why});
      losses_.erase(name);
      member.failures = 0;  // to know who may be guilty is progress: the others go on without it
    }
    member.running.clear();
  }

  void Live(Member& member) {
    while (true) {
      Status status = Serve(member);
      {
        std::lock_guard<std::mutex> session(member.calling);
        member.session.reset();
      }
      std::unique_lock<std::mutex> lock(mutex_);
      if (stop_) return;
      member.loaded = member.images = 0;
      member.opened = false;
      const Error error =
          status.ok() ? Fail(Code::kInternal, "a server's thread ended") : status.error();
      ++member.failures;
      HandBack(member, error.message);
      // What another try cannot mend: of the input for all, of this server for it alone.
      bool hopeless = error.code != Code::kUnavailable && error.code != Code::kTimeout;
      if (hopeless && error.code != Code::kUnsupported && !fatal_) fatal_ = error;
      if (hopeless || member.failures >= options_.tries) {
        member.quarantined = fmt::format("{}: {}", member.name, error.message);
        if (!member.wrong.empty())
          findings_.push_back(fmt::format("the original on {} {}: the server is left out",
                                          member.name, member.wrong));
        else
          notices_.push_back(fmt::format("quarantined {} after {} failure{}: {}", member.name,
                                         member.failures, member.failures == 1 ? "" : "s",
                                         error.message));
        changed_.notify_all();
        return;
      }
      notices_.push_back(fmt::format("lost {}: {}", member.name, error.message));
      changed_.notify_all();
      double pause_s = std::min(options_.pause_s * (1 << (member.failures - 1)), kLongestPause_s);
      if (changed_.wait_for(lock, std::chrono::duration<double>(pause_s),
                            [this]() -> bool { return stop_; }))
        return;
      lock.unlock();
      Recover(member, error.message);
    }
  }

  void Recover(const Member& member, const std::string& problem) {
    if (options_.recover.empty()) return;
    std::string line =
        RunRecover(options_.recover, member.address ? member.address->Text() : "", problem);
    std::lock_guard<std::mutex> lock(mutex_);
    notices_.push_back(member.name + ": the recover command " + line);
  }

  Status Open(Member& member) {
    NetworkOptions network;
    network.secret = options_.secret;
    network.timeout_s = options_.timeout_s;
    network.tvm_server = options_.tvm_server;
    if (options_.tracker) {
      auto ours = [this] {
        std::lock_guard<std::mutex> lock(mutex_);
        return static_cast<int>(std::count_if(members_.begin(), members_.end(),
                                              [](const Member& m) { return m.loaded > 0; }));
      };
      Tracker::Server server =
          TRY(FindServer(*options_.tracker, options_.key, options_.tracker_wait_s, ours,
                         [this]() -> bool { return stop_; }));
      member.address = network.address = server.address;
      network.match_key = server.match_key;
    } else {
      network.address = *member.address;
      if (options_.tvm_server) network.match_key = options_.key;
      network.after = member.pid;
    }
    std::unique_ptr<NetworkSession> session = TRY(NetworkSession::Open(network));
    std::string ended = session->ended();
    {
      std::lock_guard<std::mutex> calling(member.calling);
      member.session = std::move(session);
    }
    std::lock_guard<std::mutex> lock(mutex_);
    member.opened = true;
    if (!ended.empty()) notices_.push_back(member.name + ": its last worker " + ended);
    changed_.notify_all();
    return Ok();
  }

  // One connection's life; ends with an error, or when the farm does.
  Status Serve(Member& member) {
    TRY(Open(member));
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] {
        bool behind =
            load_generation_ > 0 && (member.loaded != load_generation_ ||
                                     (!images_.empty() && member.images != image_generation_));
        behind |= load_generation_ > 0 && begin_ && !member.begun;
        return stop_ || behind || !member.wrong.empty() || !member.running.empty() ||
               (!queue_.empty() && member.images == image_generation_);
      });
      if (stop_) return Ok();
      if (!member.wrong.empty()) return Fail(Code::kUnsupported, "its original ", member.wrong);
      if (begin_ && !member.begun) {
        TRY(BeginOn(member, lock));
      } else if (member.loaded != load_generation_) {
        TRY(LoadInto(member, lock));
      } else if (!images_.empty() && member.images != image_generation_) {
        TRY(ImagesInto(member, lock));
      } else {
        TRY(RunSome(member, lock));
      }
    }
  }

  // `call` may use nothing that `lock` guards, which is let go meanwhile.
  template <class F>
  static auto CallUnlocked(Member& member, std::unique_lock<std::mutex>& lock, F&& call) {
    lock.unlock();
    auto result = [&] {
      std::lock_guard<std::mutex> calling(member.calling);
      return call(*member.session);
    }();
    lock.lock();
    return result;
  }

  Status BeginOn(Member& member, std::unique_lock<std::mutex>& lock) {
    const int load = load_generation_, images = image_generation_;
    Begun begun = TRY(CallUnlocked(member, lock, [request = *begin_](NetworkSession& session) {
      return session.Begin(request);
    }));
    member.pid = begun.reply.pid;
    if (load != load_generation_) return Ok();
    member.loaded = load;
    if (!begin_ || images != image_generation_) return Ok();  // too late for it
    member.images = images;
    member.runs = begun.runs;
    member.begun = std::move(begun);
    member.arrival = ++arrivals_;
    changed_.notify_all();
    return Ok();
  }

  Status LoadInto(Member& member, std::unique_lock<std::mutex>& lock) {
    const int generation = load_generation_;
    LoadReply loaded =
        TRY(CallUnlocked(member, lock, [request = request_](NetworkSession& session) {
          return session.Load(request);
        }));
    member.pid = loaded.pid;
    member.loaded = generation;
    member.images = 0;
    if (generation == load_generation_ && !reply_) reply_ = std::move(loaded);
    changed_.notify_all();
    return Ok();
  }

  Status ImagesInto(Member& member, std::unique_lock<std::mutex>& lock) {
    const int generation = image_generation_;
    std::vector<OriginalRun> runs =
        TRY(CallUnlocked(member, lock, [images = images_](NetworkSession& session) {
          return session.SetImages(images);
        }));
    if (generation != image_generation_) return Ok();
    // Fates are judged against one original, so all servers have to agree on it, but for noise.
    auto noisy = [](const OriginalRun& run) { return run.noisy; };
    const bool exact = std::none_of(runs.begin(), runs.end(), noisy) &&
                       std::none_of(runs_.begin(), runs_.end(), noisy);
    if (exact && !runs_.empty() && !SameResults(runs, runs_)) {
      member.wrong = "gives other results than that of the other servers";
      return Fail(Code::kUnsupported, "its original ", member.wrong,
                  "; is it another kind of board?");
    }
    member.images = generation;
    member.runs = runs;
    if (runs_.empty()) {
      runs_ = std::move(runs);
      provider_ = &member;
    }
    changed_.notify_all();
    return Ok();
  }

  Status RunSome(Member& member, std::unique_lock<std::mutex>& lock) {
    // Not more than its share, so that the last mutants do not wait in one server's queue.
    const auto alive = static_cast<size_t>(std::max(1, Alive()));
    size_t share = std::max<size_t>(1, queue_.size() / alive);
    const size_t depth = static_cast<size_t>(request_.jobs) * kDepthPerJob;
    std::vector<MutantJob> jobs;
    while (!queue_.empty() && member.running.size() < depth && share-- > 0) {
      jobs.push_back(std::move(queue_.front()));
      queue_.pop_front();
      member.running[jobs.back().program.mutant] = jobs.back();
    }
    // While more are waiting, the server is told so before it has run them all.
    const size_t enough = member.running.size() == depth ? depth / 2 : 0;
    auto result = CallUnlocked(member, lock, [&](NetworkSession& session) {
      return session.Work(jobs, kCollectWait_s, enough);
    });
    for (MutantDone& done : TRY(std::move(result))) {
      if (done.tool_error.empty()) member.failures = 0;
      member.running.erase(done.mutant);
      losses_.erase(done.mutant);
      done_.push_back(std::move(done));
    }
    if (!done_.empty()) changed_.notify_all();
    return Ok();
  }

  const FarmOptions options_;
  std::deque<Member> members_;
  mutable std::mutex mutex_;  // of all below, and of the members but for `session`
  std::condition_variable changed_;
  std::atomic<bool> stop_ = false;  // set under mutex_ too
  std::optional<Error> fatal_;
  int load_generation_ = 0, image_generation_ = 0;
  LoadRequest request_;
  std::optional<BeginRequest> begin_;  // while the servers' answers to it are waited for
  int arrivals_ = 0;
  std::optional<LoadReply> reply_;
  Member* probed_ = nullptr;
  Member* provider_ = nullptr;  // of runs_
  std::vector<ImageInput> images_;
  std::vector<OriginalRun> runs_;  // of the first server that has run them
  std::deque<MutantJob> queue_;
  std::map<std::string, int> losses_;  // of every mutant handed in and not handed out
  std::vector<MutantDone> done_;
  std::vector<std::string> notices_, findings_;
};

}  // namespace

Result<std::unique_ptr<Session>> OpenFarm(const FarmOptions& options) {
  int count = static_cast<int>(options.servers.size());
  if (options.tracker) {
    count = options.count;
    if (count == 0) {
      Tracker tracker = TRY(Tracker::Connect(*options.tracker));
      count = TRY(tracker.Count(options.key));
    }
    if (count == 0)
      return Fail(Code::kUnavailable, "the tracker ", options.tracker->Text(),
                  " knows no server of key '", options.key, "'");
  }
  if (count == 0) return Fail(Code::kInvalidInput, "a device without a server");
  return std::unique_ptr<Session>(std::make_unique<Farm>(options, count));
}

}  // namespace mutatenn
