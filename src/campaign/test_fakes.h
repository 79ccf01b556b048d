// A campaign's outside world for tests: a generator and a device whose answers follow from ids
// alone, and that fail when they are told to; a store that fails after so many writes. No TVM, no
// process, no sleep.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "campaign/campaign.h"

namespace mutatenn::fakes {

// The value of a result that must be one.
template <class T>
T Must(Result<T> result) {
  CHECK(result.ok(), result.ok() ? "" : result.error().message);
  return std::move(result).value();
}

// A program of one kernel that takes 1x3x8x8.
inline Program SmallProgram(const std::string& target) {
  Program program;
  program.model = "net";
  program.target = target;
  program.values = {{"data", Value::Kind::kInput, {{1, 3, 8, 8}}},
                    {"out", Value::Kind::kStep, {{1, 10}}}};
  program.steps = {{"out", "k", {0}, {1}, {"layer"}}};
  program.kernels["k"] = {"k", "dense", "kernels/k.so", "code"};
  program.inputs = {0};
  program.outputs = {1};
  return program;
}

// Something that two sides wait for; false where it did not come in far longer than it takes.
class Moment {
 public:
  void Come() {
    std::lock_guard<std::mutex> lock(mutex_);
    came_ = true;
    changed_.notify_all();
  }
  bool Await() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!missed_)
      missed_ = !changed_.wait_for(lock, std::chrono::seconds(20), [this] { return came_; });
    return !missed_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool came_ = false, missed_ = false;  // missed: later waits end at once
};

// What happens in the world, and what is to go wrong in it.
struct World {
  bool meet = false;  // the first build ends not before the original runs, nor that before a build
  Moment original_runs, mutant_built;
  bool met = true;
  std::vector<int> jobs;         // of SetJobs
  int lose_originals = 0;        // runs of the original in which the worker dies
  int lose_compiler_after = -1;  // builds until the compile server dies, once
  int points = 6;                // of every operator
  int generators_started = 0;
  int mutants_built = 0;
  int sessions_opened = 0;
  int mutants_run = 0;  // mutants returned by devices
  int64_t bytes_per_image = 1 << 20;
  std::string graph_hash = "graph";
  std::string tvm_version = "0.27.0";
  std::set<std::string> timeouts;  // mutants that time out while the limit is 1 s
  double floor_s = 0;              // of the last load
  // Images on which the original's second run on a device has another label.
  std::set<std::string> unstable;

  std::vector<std::string> findings;       // of every session
  std::map<std::string, float> noise;      // of each server behind a session: added to the nth run
  int interrupt_after_builds = -1;         // builds until the user stops
  int lose_worker_after = -1;              // returned mutants until the worker dies, once
  std::set<std::string> killers;           // mutants that take the worker along whenever they run
  std::map<std::string, int> tool_errors;  // mutant -> how often it ends in one
  int fail_fates_after = -1;               // PutFates calls until the disk is full
  std::map<std::string, int> runs;         // of a mutant on a device's image
  int other_label_from_run = 0;            // the run of a mutant from which its label is 5
  bool interrupted = false;
  std::vector<double> slept;
  std::vector<std::vector<std::string>> batches;  // mutants under way together when a worker died
};

class FakeGenerator : public Generator {
 public:
  FakeGenerator(World& world, const GeneratorOptions& options) : world_(world) {
    for (const std::string& target : options.targets) {
      info_.programs.push_back(SmallProgram(target));
      info_.canonical_targets.push_back(target);
    }
    info_.graph_hash = world.graph_hash;
    info_.tvm_version = world.tvm_version;
    info_.layers = {{"layer", "Gemm"}};
    ++world.generators_started;
  }
  const GeneratorInfo& info() const override { return info_; }
  Result<std::vector<PointsOfUse>> Points(const std::vector<OperatorUse>& uses) override {
    std::vector<PointsOfUse> all;
    for (const OperatorUse& use : uses) {
      PointsOfUse points{use, "category", Level::kCode};
      for (int i = 0; i < world_.points; ++i) {
        points.points.push_back({Level::kCode, {"layer"}, "k", "dense", "block", i, i, 0});
      }
      all.push_back(std::move(points));
    }
    return all;
  }
  Status Build(int target, const std::vector<Mutant>& mutants, const Done& done) override {
    for (const Mutant& mutant : mutants) {
      if (IsVariant(mutant.use.id)) continue;
      BuiltMutant built{mutant.id, target, "ok"};
      // One in eight does not compile, one in eight is equivalent.
      uint64_t kind = Hash64("build" + mutant.id) % 8;
      if (kind == 0) built.state = "stillborn", built.reason = "no such instruction";
      if (kind == 1) built.state = "equivalent", built.reason = "same code";
      built.program.mutant = mutant.id;
      if (built.state == "ok")
        built.program.replaced["k"] = {"k", "dense", "kernels/" + mutant.id + ".so", mutant.id};
      built.diff = "- a\n+ b\n";
      ++world_.mutants_built;
      if (world_.lose_compiler_after >= 0 && world_.lose_compiler_after-- == 0)
        return Fail(Code::kUnavailable, "the compile server was killed by signal 9");
      if (world_.interrupt_after_builds >= 0 && world_.interrupt_after_builds-- == 0)
        world_.interrupted = true;
      if (world_.meet && !world_.original_runs.Await()) world_.met = false;
      TRY(done(built));
      world_.mutant_built.Come();
    }
    return Ok();
  }
  Status SetJobs(int jobs) override {
    world_.jobs.push_back(jobs);
    return Ok();
  }
  Result<std::string> Print(int, const std::string&) override { return std::string("ir"); }

 private:
  World& world_;
  GeneratorInfo info_;
};

class FakeSession : public Session {
 public:
  FakeSession(World& world, std::string device) : world_(world), device_(std::move(device)) {
    ++world.sessions_opened;
  }

  Result<LoadReply> Load(const LoadRequest& request) override {
    world_.floor_s = request.limits.floor_s;
    return LoadReply{"fake cpu", world_.tvm_version, 1, world_.bytes_per_image};
  }
  Result<std::vector<OriginalRun>> SetImages(const std::vector<ImageInput>& images) override {
    loaded_.clear();
    world_.original_runs.Come();
    if (world_.meet && !world_.mutant_built.Await())
      return Fail(Code::kInternal, "no mutant was built meanwhile");
    if (world_.lose_originals > 0 && world_.lose_originals-- > 0)
      return Fail(Code::kUnavailable, "the worker was killed by signal 9");
    std::vector<OriginalRun> runs;
    for (const ImageInput& image : images) {
      loaded_.insert(image.id);
      runs.push_back({image.id, Original(image.id), 0.5, !world_.noise.empty()});
      if (++runs_[image.id] == 2 && world_.unstable.count(image.id))
        runs.back().top = {{2, 10.0}, {1, 9.0}};
    }
    ++chunks_;
    return runs;
  }
  Status Submit(const std::vector<MutantJob>& jobs) override {
    waiting_.insert(waiting_.end(), jobs.begin(), jobs.end());
    return Ok();
  }
  Result<std::vector<MutantDone>> Collect(double) override {
    for (const MutantJob& job : waiting_) {
      bool killer = world_.killers.count(job.program.mutant) > 0;
      if (killer) return Lose();
    }
    if (waiting_.empty()) return std::vector<MutantDone>{};
    if (world_.lose_worker_after >= 0 && world_.lose_worker_after-- == 0) return Lose();
    MutantJob job = waiting_.front();
    waiting_.erase(waiting_.begin());
    MutantDone done{job.program.mutant};
    auto error = world_.tool_errors.find(done.mutant);
    if (error != world_.tool_errors.end() && error->second-- > 0) {
      done.tool_error = "fork: no memory";
      return std::vector<MutantDone>{done};
    }
    for (const std::string& image : job.images) {
      if (!loaded_.count(image)) return Fail(Code::kInternal, image, " is not loaded");
      Fate fate = FateOf(done.mutant, image);
      bool detected = fate.ending != Ending::kOk || fate.top[0].label != Original(image)[0].label;
      done.fates.push_back(std::move(fate));
      if (detected && job.stop_at_kill) break;
    }
    ++world_.mutants_run;
    return std::vector<MutantDone>{done};
  }
  Result<std::vector<std::vector<float>>> Outputs(const std::string& image) override {
    if (world_.unstable.empty()) return Fail(Code::kUnsupported, "fake");
    if (world_.unstable.count(image) && runs_[image] == 2)
      return std::vector<std::vector<float>>{{0, 9, 10}};
    return std::vector<std::vector<float>>{{0, 10, 9}};
  }
  std::vector<std::string> TakeFindings() override { return world_.findings; }
  Result<std::vector<WorkerOutputs>> EveryOutput(const std::string& image) override {
    if (world_.noise.empty()) return Session::EveryOutput(image);
    std::vector<WorkerOutputs> all;
    for (const auto& [server, noise] : world_.noise)
      all.push_back({server, {{1, 10 + noise * static_cast<float>(chunks_), 2}}});
    return all;
  }

 private:
  Error Lose() {
    std::vector<std::string> batch;
    for (const MutantJob& job : waiting_) batch.push_back(job.program.mutant);
    world_.batches.push_back(batch);
    return Fail(Code::kUnavailable, "the worker was killed by signal 9");
  }
  std::vector<Ranked> Original(const std::string& image) const {
    // The margin falls with the hash, so that the order of images is not that of their names.
    return {{1, 10.0}, {2, 9.0 - static_cast<double>(Hash64(image) % 100) / 100}};
  }
  Fate FateOf(const std::string& mutant, const std::string& image) {
    Fate fate{image};
    const int run = ++world_.runs[mutant + device_ + image];
    fate.seconds = 0.25;
    uint64_t kind = Hash64(mutant + device_ + image) % 10;
    if (world_.timeouts.count(mutant) && world_.floor_s <= 1) {
      fate.ending = Ending::kTimeout;
    } else if (kind == 0) {
      fate.ending = Ending::kCrashed;
      fate.detail = "SIGSEGV";
    } else {
      fate.infected = true;
      fate.dirty_steps = 1;
      fate.top = {{kind < 3 ? 7 : 1, 9.5}, {2, 9.0}};
      if (world_.other_label_from_run > 0 && run >= world_.other_label_from_run)
        fate.top[0].label = 5;
    }
    return fate;
  }

  World& world_;
  std::string device_;
  std::set<std::string> loaded_;
  int chunks_ = 0;                   // loaded so far
  std::map<std::string, int> runs_;  // of the original
  std::vector<MutantJob> waiting_;
};

// The real store, but the disk is full at a moment of the test's choice.
class FullDiskStore : public Store {
 public:
  FullDiskStore(World& world, std::unique_ptr<Store> store) : world_(world), s_(std::move(store)) {}
  Status PutFates(const std::vector<StoredFate>& f,
                  const std::optional<StoredOutOfBounds>& o) override {
    if (world_.fail_fates_after >= 0 && world_.fail_fates_after-- == 0) {
      return Fail(Code::kIo,
                  "campaign.db: the disk is full (free some space and run the same command again)");
    }
    return s_->PutFates(f, o);
  }
  Status SetMeta(const std::string& k, const std::string& v) override { return s_->SetMeta(k, v); }
  Result<std::optional<std::string>> Meta(const std::string& k) override { return s_->Meta(k); }
  Status PutModels(const std::vector<StoredModel>& v) override { return s_->PutModels(v); }
  Status PutImages(const std::vector<StoredImage>& v) override { return s_->PutImages(v); }
  Status PutDevices(const std::vector<StoredDevice>& v) override { return s_->PutDevices(v); }
  Status PutPrograms(const std::vector<StoredProgram>& v) override { return s_->PutPrograms(v); }
  Status PutPoints(const std::vector<StoredPoint>& v) override { return s_->PutPoints(v); }
  Status PutMutants(const std::vector<StoredMutant>& v) override { return s_->PutMutants(v); }
  Status PutOperatorUses(const std::vector<StoredOperatorUse>& v) override {
    return s_->PutOperatorUses(v);
  }
  Status PutBuilds(const std::vector<StoredBuild>& v) override { return s_->PutBuilds(v); }
  Status PutCodes(const std::vector<StoredCode>& v) override { return s_->PutCodes(v); }
  Result<std::vector<StoredCode>> Codes(const std::string& m) override { return s_->Codes(m); }
  Status PutRepeats(const std::vector<StoredRepeat>& v) override { return s_->PutRepeats(v); }
  Status PutReferenceOutputs(const std::vector<StoredReferenceOutput>& v) override {
    return s_->PutReferenceOutputs(v);
  }
  Status PutVariants(const std::vector<StoredVariant>& v) override { return s_->PutVariants(v); }
  Status PutStepHashes(const std::vector<StoredStepHash>& v) override {
    return s_->PutStepHashes(v);
  }
  Result<std::vector<StoredStepHash>> StepHashes(const std::string& m,
                                                 const std::string& d) override {
    return s_->StepHashes(m, d);
  }
  Status PutGrowth(const std::vector<StoredGrowth>& v) override { return s_->PutGrowth(v); }
  Result<std::vector<StoredGrowth>> Growth(const std::string& m) override { return s_->Growth(m); }
  Status PutFloors(const std::vector<StoredFloor>& v) override { return s_->PutFloors(v); }
  Result<std::vector<StoredVariant>> Variants(const std::string& m, int t) override {
    return s_->Variants(m, t);
  }
  Result<std::vector<StoredFloor>> Floors(const std::string& m, const std::string& d) override {
    return s_->Floors(m, d);
  }
  Result<std::vector<StoredRepeat>> Repeats(const std::string& m) override {
    return s_->Repeats(m);
  }
  Result<std::vector<StoredReferenceOutput>> ReferenceOutputs(const std::string& m) override {
    return s_->ReferenceOutputs(m);
  }
  Status PutMutantRuns(const std::vector<StoredMutantRun>& v) override {
    return s_->PutMutantRuns(v);
  }
  Result<std::vector<StoredMutantRun>> MutantRuns(const std::string& m,
                                                  const std::string& d) override {
    return s_->MutantRuns(m, d);
  }
  Status PutOriginals(const std::vector<StoredOriginal>& v) override { return s_->PutOriginals(v); }
  Status AddEvent(const std::string& k, const std::string& t) override {
    return s_->AddEvent(k, t);
  }
  Result<std::vector<StoredModel>> Models() override { return s_->Models(); }
  Result<std::vector<StoredImage>> Images(const std::string& m) override { return s_->Images(m); }
  Result<std::vector<StoredDevice>> Devices() override { return s_->Devices(); }
  Result<std::vector<StoredProgram>> Programs() override { return s_->Programs(); }
  Result<std::vector<StoredPoint>> Points(const std::string& m) override { return s_->Points(m); }
  Result<std::vector<StoredMutant>> Mutants(const std::string& m) override {
    return s_->Mutants(m);
  }
  Result<std::vector<StoredOperatorUse>> OperatorUses() override { return s_->OperatorUses(); }
  Result<std::vector<StoredBuild>> Builds(const std::string& m) override { return s_->Builds(m); }
  Result<std::optional<StoredBuild>> Build(const std::string& m, const std::string& id,
                                           int t) override {
    return s_->Build(m, id, t);
  }
  Result<std::vector<StoredOriginal>> Originals(const std::string& m) override {
    return s_->Originals(m);
  }
  Result<std::vector<StoredFate>> Fates(const std::string& m, const std::string& d) override {
    return s_->Fates(m, d);
  }
  Status EachFate(const std::string& m,
                  const std::function<Status(const StoredFate&)>& visit) override {
    return s_->EachFate(m, visit);
  }
  Status EachBuild(const std::string& m,
                   const std::function<Status(const StoredBuild&)>& visit) override {
    return s_->EachBuild(m, visit);
  }
  Result<std::map<std::string, std::string>> AllMeta() override { return s_->AllMeta(); }
  Result<std::vector<StoredFate>> FatesOf(const std::string& m, const std::string& id) override {
    return s_->FatesOf(m, id);
  }
  Result<std::vector<StoredOutOfBounds>> OutOfBoundsOf(const std::string& m) override {
    return s_->OutOfBoundsOf(m);
  }
  Result<std::vector<std::pair<std::string, std::string>>> Events() override {
    return s_->Events();
  }

 private:
  World& world_;
  std::unique_ptr<Store> s_;
};

inline CampaignParts Parts(World& world) {
  CampaignParts parts;
  parts.open_store = [&world](const std::string& path) -> Result<std::unique_ptr<Store>> {
    return std::unique_ptr<Store>(new FullDiskStore(world, TRY(Store::Open(path))));
  };
  parts.start_generator =
      [&world](const GeneratorOptions& options) -> Result<std::unique_ptr<Generator>> {
    return std::unique_ptr<Generator>(new FakeGenerator(world, options));
  };
  parts.open_session = [&world](const DeviceConfig& device,
                                const std::string&) -> Result<std::unique_ptr<Session>> {
    return std::unique_ptr<Session>(new FakeSession(world, device.name));
  };
  parts.sleep = [&world](double seconds) { world.slept.push_back(seconds); };
  parts.interrupted = [&world] { return world.interrupted; };
  return parts;
}

}  // namespace mutatenn::fakes
