// A queue of mutants and up to `jobs` children: which runs when, what its end means, what is
// repeated alone before it counts.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "device/session.h"
#include "worker/executor.h"
#include "worker/oracle.h"
#include "worker/task.h"

namespace mutatenn {

class Scheduler {
 public:
  Scheduler(const Original& original, const LoadRequest& request)
      : original_(original), limits_(request.limits), jobs_(request.jobs) {}
  ~Scheduler();

  bool idle() const { return waiting_.empty() && alone_.empty() && running_.empty(); }
  size_t unfinished() const { return waiting_.size() + alone_.size() + running_.size(); }
  // The chunk that later jobs name images of. Only when idle.
  void SetChunk(const References* references, const std::vector<ImageInput>& images);
  // All or none: kInvalidInput names the mutant that cannot be run.
  Status Submit(const std::vector<MutantJob>& jobs);
  // As Session::Collect; returns at once when there is nothing to wait for.
  std::vector<MutantDone> Collect(double wait_s);
  const WorkerStats& stats() const { return stats_; }  // of children alone

 private:
  void Start();  // fills free places
  void Launch(std::unique_ptr<Task> task);
  void Ended(std::unique_ptr<Task> task);  // its process did
  void Died(std::unique_ptr<Task> task, const Death& death);
  void CouldNotRun(std::unique_ptr<Task> task, const std::string& why);
  void CountChild(const Task& task, double forked_at);
  bool TakeRecords(Task& task);  // false: damaged
  Result<const OracleResult*> OracleOriginal(int image);

  const Original& original_;
  const Limits limits_;
  const int jobs_;
  const References* references_ = nullptr;
  std::vector<std::string> image_files_;
  std::deque<std::unique_ptr<Task>> waiting_, alone_;
  std::vector<std::unique_ptr<Task>> running_;
  std::vector<MutantDone> finished_;
  std::set<std::string> inside_;  // mutants whose guarded run says so for all images
  WorkerStats stats_;
  std::unique_ptr<MutantPlan> original_plan_;     // for the oracle
  std::map<int, OracleResult> oracle_originals_;  // by image
};

}  // namespace mutatenn
