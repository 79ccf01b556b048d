// Every pending mutant of a model on a device: images in chunks outside, mutants inside, the
// worker's queue kept full, the fates of a mutant and chunk stored in one transaction as they come.
// Of mutants that run the same code the first one is run; the others take its fates.
#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "analysis/originals.h"
#include "campaign/kept_runs.h"
#include "campaign/state.h"
#include "campaign/steps.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace {

constexpr int kQueueDepthPerJob = 8;
constexpr int kRemoteQueueDepthPerJob = 48;  // answers take their time
constexpr double kCollectWait_s = 0.5;
constexpr int kTriesPerMutant =
    3;  // a mutant that takes its worker along is left pending after these

using Tops = std::map<std::string, std::vector<Ranked>>;  // by image

// A mutant on this device.
struct Work {
  std::string id;
  MutantLife life;
  std::set<std::string> done;          // images with a fate that counts
  bool detected = false;               // one of those fates kills, on a stable image
  int failures = 0;                    // tool errors and lost workers while it ran
  bool follows = false;                // takes the fates of another mutant, which runs the same
  std::vector<size_t> followers = {};  // of this one: indices into work_
};

class DeviceRun {
 public:
  // `run`: 1 = that of the fates; further ones are of what ended well (`mutant_repeats`).
  DeviceRun(CampaignContext& context, std::string model, const DeviceConfig& device, int run)
      : context_(context),
        model_(std::move(model)),
        device_(device),
        runs_(context.store, model_, device.name, run) {}

  Status Run() {
    images_ = TRY(context_.store.Images(model_));
    TRY(ReadOriginals());
    TRY(ReadWork());
    int64_t waiting =
        std::count_if(work_.begin(), work_.end(), [](const Work& w) { return w.life.waiting(); });
    if (waiting == 0) return Ok();
    auto all = static_cast<int64_t>(work_.size());
    context_.progress.Begin("running mutants on " + device_.name + runs_.Name(), all,
                            all - waiting);
    Status status = WithRestarts(
        context_, device_.name, [this] { return Pass(); },
        [this] { return std::exchange(stored_something_, false); });
    context_.progress.End();
    if (!status.ok() &&
        (status.error().code != Code::kUnavailable || context_.parts.interrupted())) {
      return status;
    }
    if (!status.ok()) failure_ = status.error().message;
    return Report();
  }

 private:
  Status ReadOriginals() {
    for (const StoredOriginal& original : TRY(context_.store.Originals(model_))) {
      if (original.device != device_.name) continue;
      std::string where = "the stored original on " + original.image;
      originals_[original.image] =
          TRY(TopFromJson(TRY(ParseJson(original.top_json, where)), where));
    }
    unstable_ = TRY(UnstableImages(context_.store, model_, device_.name));
    return Ok();
  }

  Status ReadWork() {
    if (std::optional<std::string> noted = TRY(context_.store.Meta(meta::kRerunTimeouts))) {
      rerun_timeouts_ = TRY(ParseJson(*noted, "the stored list of timeouts"));
    }
    std::set<std::string> again;
    if (runs_.first() && rerun_timeouts_.contains(model_) &&
        rerun_timeouts_[model_].contains(device_.name)) {
      again = rerun_timeouts_[model_][device_.name].get<std::set<std::string>>();
    }
    std::map<std::string, std::string> builds;
    int target = context_.target_of_device.at(device_.name);
    for (const StoredBuild& build : TRY(context_.store.Builds(model_))) {
      if (build.target_index == target) builds[build.mutant] = build.state;
    }
    FatesByMutant fates = TRY(runs_.Fates());
    for (const std::string& mutant : again)
      std::erase_if(fates[mutant], [](const StoredFate& fate) { return fate.ending == "timeout"; });
    const std::set<std::string> left_out = TRY(runs_.LeftOut(images_.size()));
    for (const StoredOutOfBounds& known : TRY(context_.store.OutOfBoundsOf(model_))) {
      if (known.device == device_.name) out_of_bounds_known_.insert(known.mutant);
    }
    for (const StoredMutant& mutant : TRY(context_.store.Mutants(model_))) {
      auto build = builds.find(mutant.id);
      if (!mutant.selected || build == builds.end() || left_out.contains(mutant.id)) continue;
      Work work{mutant.id, {}, {}, false, 0};
      work.life.MoveTo(build->second == "ok"          ? MutantState::kBuilt
                       : build->second == "stillborn" ? MutantState::kStillborn
                                                      : MutantState::kEquivalent);  // or ignored
      if (work.life.state() != MutantState::kBuilt) continue;
      for (const StoredFate& fate : fates[mutant.id]) {
        std::string where = "the stored fate of " + mutant.id;
        Take(work, fate, TRY(TopFromJson(TRY(ParseJson(fate.top_json, where)), where)));
      }
      work_.push_back(std::move(work));
    }
    // The oracle of all that is fast runs each.
    if (!context_.slow_oracle) TRY(ShareFates(fates));
    for (Work& work : work_)
      if (Open(work, images_).empty()) work.life.MoveTo(MutantState::kDone);
    return Ok();
  }

  // Finds the mutants that run the same and gives each what any of them has been measured on.
  Status ShareFates(const FatesByMutant& fates) {
    std::map<std::string, std::string> codes;  // by mutant
    for (StoredCode& row : TRY(context_.store.Codes(model_)))
      if (row.target_index == context_.target_of_device.at(device_.name))
        codes[row.mutant] = std::move(row.code);
    std::map<std::string, size_t> first;  // by code
    for (size_t i = 0; i < work_.size(); ++i) {
      const auto code = codes.find(work_[i].id);
      if (code == codes.end()) continue;
      const auto [at, fresh] = first.emplace(code->second, i);
      if (fresh) continue;
      work_[i].follows = true;
      work_[at->second].followers.push_back(i);
    }
    std::map<std::string, StoredOutOfBounds> outside;
    for (StoredOutOfBounds& known : TRY(context_.store.OutOfBoundsOf(model_)))
      if (known.device == device_.name) outside[known.mutant] = std::move(known);
    for (size_t leader = 0; leader < work_.size(); ++leader) {
      std::vector<size_t> group = work_[leader].followers;
      if (group.empty()) continue;
      group.insert(group.begin(), leader);
      for (const size_t giver : group) {
        const std::string& id = work_[giver].id;
        const auto measured = fates.find(id);
        const auto found = outside.find(id);
        if (measured == fates.end()) continue;
        for (const size_t taker : group)
          TRY(Give(measured->second,
                   found == outside.end() ? std::nullopt : std::optional(found->second),
                   work_[taker]));
      }
    }
    return Ok();
  }

  // Those of `fates` that `work` lacks become its own.
  Status Give(const std::vector<StoredFate>& fates, std::optional<StoredOutOfBounds> outside,
              Work& work) {
    std::vector<StoredFate> given;
    for (const StoredFate& fate : fates) {
      if (work.done.count(fate.image)) continue;
      given.push_back(fate);
      given.back().mutant = work.id;
    }
    if (given.empty()) return Ok();
    if (out_of_bounds_known_.count(work.id)) outside.reset();
    if (outside) outside->mutant = work.id;
    TRY(runs_.Put(given, outside));
    if (outside) out_of_bounds_known_.insert(work.id);
    for (const StoredFate& fate : given) {
      std::string where = "the fate of " + work.id;
      Take(work, fate, TRY(TopFromJson(TRY(ParseJson(fate.top_json, where)), where)));
    }
    return ForgetTimeout(work.id);
  }

  void Take(Work& work, const StoredFate& fate, const std::vector<Ranked>& top) {
    work.done.insert(fate.image);
    work.detected |= fate.ending != "ok" ||
                     (!unstable_.contains(fate.image) && KilledByTop1(originals_[fate.image], top));
  }

  // The images of `chunk` that this mutant has still to be run on.
  std::vector<std::string> Open(const Work& work, const std::vector<StoredImage>& chunk) const {
    std::vector<std::string> open;
    if (work.detected && !context_.full_matrix) return open;
    for (const StoredImage& image : chunk)
      if (!work.done.count(image.name)) open.push_back(image.name);
    return open;
  }

  // Of these the next job takes the first ones: all of them stable, so that it may end at the first
  // that kills, or none, as what these show ends nothing.
  std::vector<std::string> Next(const Work& work, const std::vector<StoredImage>& chunk) const {
    std::vector<std::string> open = Open(work, chunk);
    if (context_.full_matrix) return open;
    const auto other = [&](const std::string& image) {
      return unstable_.contains(image) != unstable_.contains(open.front());
    };
    open.erase(std::find_if(open.begin(), open.end(), other), open.end());
    return open;
  }

  // One life of a worker. Reads nothing that an earlier pass left but work_, so a pass can end
  // anywhere.
  Status Pass() {
    LoadedDevice loaded = TRY(LoadedDevice::Take(context_, model_, device_));
    auto size = static_cast<size_t>(loaded.chunk_images());
    for (size_t begin = 0; begin < images_.size(); begin += size) {
      size_t end = std::min(images_.size(), begin + size);
      std::vector<StoredImage> chunk(images_.begin() + static_cast<long>(begin),
                                     images_.begin() + static_cast<long>(end));
      std::deque<Work*> queue;
      for (Work& work : work_) {
        if (!work.follows && work.life.waiting() && work.failures < kTriesPerMutant &&
            !Open(work, chunk).empty())
          queue.push_back(&work);
      }
      if (queue.empty()) continue;
      // What failed before comes last and alone, so that the guilty one takes nobody along.
      std::stable_sort(queue.begin(), queue.end(),
                       [](const Work* a, const Work* b) { return a->failures < b->failures; });
      TRY(loaded.Use(chunk));
      Status status = RunChunk(loaded.session(), chunk, queue);
      TRY(loaded.Note());
      for (auto& [id, work] : running_) {
        work->life.MoveTo(MutantState::kPending);
        if (!status.ok() && status.error().code == Code::kUnavailable &&
            !context_.parts.interrupted()) {
          Blame(*work, status.error().message);
        }
      }
      running_.clear();
      TRY(status);
    }
    return Ok();
  }

  Status RunChunk(Session& session, const std::vector<StoredImage>& chunk,
                  std::deque<Work*>& queue) {
    while (!queue.empty() || !running_.empty()) {
      TRY(CheckInterrupted(context_));
      const bool local = device_.session.value("kind", "local") == "local";
      const size_t depth = static_cast<size_t>(device_.jobs * session.workers()) *
                           (local ? kQueueDepthPerJob : kRemoteQueueDepthPerJob);
      std::vector<MutantJob> jobs;
      while (!queue.empty() && running_.size() < depth) {
        bool alone = queue.front()->failures > 0;
        bool alone_now = std::any_of(running_.begin(), running_.end(),
                                     [](auto& r) { return r.second->failures > 0; });
        if (!running_.empty() && (alone || alone_now)) break;
        Work& work = *queue.front();
        queue.pop_front();
        jobs.push_back(TRY(MakeJob(work, chunk)));
        work.life.MoveTo(MutantState::kRunning);
        running_[work.id] = &work;
      }
      if (!jobs.empty()) TRY(session.Submit(jobs));
      for (MutantDone& done : TRY(session.Collect(kCollectWait_s)))
        TRY(TakeDone(done, chunk, queue));
    }
    return Ok();
  }

  Result<MutantJob> MakeJob(const Work& work, const std::vector<StoredImage>& chunk) {
    std::optional<StoredBuild> build =
        TRY(context_.store.Build(model_, work.id, context_.target_of_device.at(device_.name)));
    if (!build) return Fail(Code::kInternal, "the build of mutant ", work.id, " is gone");
    MutantJob job;
    job.program = TRY(MutantProgramFromJson(
        TRY(ParseJson(build->program_json, "the stored build of " + work.id))));
    job.images = Next(work, chunk);
    job.stop_at_kill = !context_.full_matrix && !unstable_.contains(job.images.front());
    job.full_timing = runs_.first() && context_.config.timing == "full";
    job.outside_known = !runs_.first() || out_of_bounds_known_.contains(work.id);
    job.slow_oracle = context_.slow_oracle;
    return job;
  }

  Status TakeDone(const MutantDone& done, const std::vector<StoredImage>& chunk,
                  std::deque<Work*>& queue) {
    auto at = running_.find(done.mutant);
    if (at == running_.end())
      return Fail(Code::kInternal, "the worker returned mutant ", done.mutant,
                  ", which is not running");
    Work& work = *at->second;
    std::string problem = done.tool_error;
    const std::vector<std::string> asked = Next(work, chunk);
    if (problem.empty()) {
      TRY(StoreFates(work, done, asked));
      for (const std::string& image : Open(work, chunk))
        if (std::find(asked.begin(), asked.end(), image) != asked.end())
          problem = "the worker did not run all its images";
    }
    running_.erase(at);
    bool finished = problem.empty() && Open(work, images_).empty();
    work.life.MoveTo(finished ? MutantState::kDone : MutantState::kPending);
    if (finished) Finish(work);
    if (problem.empty()) {
      if (!Open(work, chunk).empty()) queue.push_front(&work);
    } else {
      Blame(work, problem);
      if (work.failures < kTriesPerMutant) queue.push_back(&work);
    }
    return Ok();
  }

  void Finish(const Work& work) {
    for (size_t follower : work.followers) work_[follower].life.MoveTo(MutantState::kDone);
    const int judged = 1 + static_cast<int>(work.followers.size());
    for (int i = 0; i < judged; ++i) context_.progress.Count();
    if (!runs_.first()) return;
    context_.outcome.stats.judged += judged;
    context_.outcome.stats.shared += judged - 1;
  }

  Status StoreFates(Work& work, const MutantDone& done, const std::vector<std::string>& asked) {
    for (const Fate& fate : done.fates) {
      if (std::find(asked.begin(), asked.end(), fate.image) == asked.end()) {
        return Fail(Code::kInternal, "the worker ran mutant ", work.id, " on ", fate.image,
                    " unasked");
      }
    }
    auto [fates, outside] = StoredForm(model_, device_.name, done);
    // The first one in image order is kept: a later chunk must not show.
    if (out_of_bounds_known_.count(work.id)) outside.reset();
    TRY(runs_.Put(fates, outside));
    if (outside) out_of_bounds_known_.insert(work.id);
    stored_something_ |= !fates.empty();
    CampaignStats& stats = context_.outcome.stats;
    for (const StoredFate& fate : fates) {
      stats.fates += runs_.first();
      stats.infected += runs_.first() && fate.infected;
    }
    for (size_t i = 0; i < fates.size(); ++i) Take(work, fates[i], done.fates[i].top);
    for (size_t follower : work.followers) TRY(Give(fates, outside, work_[follower]));
    return ForgetTimeout(work.id);
  }

  Status ForgetTimeout(const std::string& mutant) {
    if (!rerun_timeouts_.contains(model_) || !rerun_timeouts_[model_].contains(device_.name))
      return Ok();
    Json& list = rerun_timeouts_[model_][device_.name];
    auto at = std::find(list.begin(), list.end(), mutant);
    if (at == list.end()) return Ok();
    list.erase(at);
    return context_.store.SetMeta(meta::kRerunTimeouts, DumpJson(rerun_timeouts_));
  }

  void Blame(Work& work, const std::string& reason) {
    ++work.failures;
    failure_ = reason;
    // To know the guilty one is progress: the others go on without it.
    if (work.failures == kTriesPerMutant) stored_something_ = true;
    context_.progress.Detail(fmt::format("{}: mutant {}: {}", device_.name, work.id, reason));
  }

  // Mutants that the tool could not run are pending, and said to be.
  Status Report() {
    int pending = 0;
    for (const Work& work : work_) pending += work.life.waiting();
    if (pending == 0) return Ok();
    std::string line = fmt::format("{}: {} mutant{} left pending: {}", device_.name, pending,
                                   pending == 1 ? "" : "s", failure_);
    context_.outcome.left_pending += pending;
    context_.outcome.pending_reason = line;
    context_.progress.Warn(line);
    return context_.store.AddEvent("left pending", line);
  }

  CampaignContext& context_;
  std::string model_;
  const DeviceConfig& device_;
  KeptRuns runs_;
  std::vector<StoredImage> images_;  // in the fixed order
  Tops originals_;
  std::set<std::string> unstable_;  // images that do not kill, by the original's own runs
  std::vector<Work> work_;
  std::map<std::string, Work*> running_;
  std::set<std::string> out_of_bounds_known_;
  Json rerun_timeouts_ = Json::object();
  bool stored_something_ = false;
  std::string failure_;
};

}  // namespace

Status RunMutants(CampaignContext& context, const std::string& model, const DeviceConfig& device) {
  const int runs = context.full_matrix ? context.config.mutant_repeats : 1;
  const int pending = context.outcome.left_pending;
  // What could not be run once is not tried again right away.
  for (int run = 1; run <= runs && context.outcome.left_pending == pending; ++run) {
    TRY(CheckInterrupted(context));
    TRY(DeviceRun(context, model, device, run).Run());
  }
  return Ok();
}

}  // namespace mutatenn
