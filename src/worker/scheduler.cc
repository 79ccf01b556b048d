// Forks children for queued mutants, waits for them with poll, and turns their ends into fates.
#include "worker/scheduler.h"

#include <poll.h>

#include <algorithm>
#include <cmath>

#include "base/clock.h"

namespace mutatenn {
namespace {

constexpr double kLongestSleep = 3600;
constexpr double kShortestSleep = 0.01;

}  // namespace

Scheduler::~Scheduler() = default;  // children are killed with their tasks

void Scheduler::SetChunk(const References* references, const std::vector<ImageInput>& images) {
  CHECK(idle());
  references_ = references;
  oracle_originals_.clear();
  image_files_.clear();
  for (const ImageInput& image : images) image_files_.push_back(image.file);
}

Status Scheduler::Submit(const std::vector<MutantJob>& jobs) {
  std::vector<std::unique_ptr<Task>> tasks;
  for (const MutantJob& job : jobs) {
    const std::string& name = job.program.mutant;
    if (references_ == nullptr)
      return Fail(Code::kInvalidInput, "mutant ", name, ": no images are loaded");
    auto task = std::make_unique<Task>();
    task->plan = TRY(MakePlan(original_, job.program));
    for (const std::string& image : job.images) {
      int index = references_->Find(image);
      if (index < 0)
        return Fail(Code::kInvalidInput, "mutant ", name, ": image '", image,
                    "' is not of the loaded chunk");
      task->child_task.images.push_back(index);
    }
    task->child_task.inside = inside_.contains(name);
    task->child_task.guards = !job.program.guarded.empty() && !job.slow_oracle &&
                              !job.outside_known && !task->child_task.inside;
    task->child_task.stop_at_kill = job.stop_at_kill;
    task->child_task.full_timing = job.full_timing;
    task->job = job;
    task->job.program = {.mutant = job.program.mutant};  // the plan has the rest
    task->done.mutant = name;
    tasks.push_back(std::move(task));
  }
  for (auto& task : tasks) {
    if (task->job.images.empty()) {
      finished_.push_back(std::move(task->done));
    } else {
      waiting_.push_back(std::move(task));
    }
  }
  Start();
  return Ok();
}

void Scheduler::Start() {
  // A crash or timeout is repeated with no other child running, so that it cannot be blamed on one.
  while (!alone_.empty() && running_.empty()) {
    auto task = std::move(alone_.front());
    alone_.pop_front();
    task->alone = true;
    Launch(std::move(task));
  }
  while (alone_.empty() && !waiting_.empty() && static_cast<int>(running_.size()) < jobs_) {
    if (!running_.empty() && running_.front()->alone) return;
    auto task = std::move(waiting_.front());
    waiting_.pop_front();
    task->alone = false;
    Launch(std::move(task));
  }
}

void Scheduler::Launch(std::unique_ptr<Task> task) {
  bool oracle = task->job.slow_oracle;
  int position = task->child_task.next;
  int image = task->child_task.images[static_cast<size_t>(position)];
  if (oracle) {
    Result<const OracleResult*> original = OracleOriginal(image);
    if (!original.ok()) return CouldNotRun(std::move(task), original.error().message);
  }
  int records = oracle ? 1 : static_cast<int>(task->job.images.size()) - position;
  int64_t extra = oracle ? OracleExtraBytes(task->plan.typed) : 0;
  Result<SharedRegion> region = SharedRegion::Make(records, original_.top_k(), extra);
  if (!region.ok()) return CouldNotRun(std::move(task), region.error().message);
  task->region = std::move(region).value();
  task->region.progress().image = position;
  task->shot = false;
  Task& t = *task;
  Result<Child> child = ForkChild(t.region, limits_.output_bytes, [&] {
    if (oracle)
      RunOracle(original_, t.plan, limits_, references_->runs()[static_cast<size_t>(image)].seconds,
                image_files_[static_cast<size_t>(image)], position, t.region);
    Executor(original_, *references_, t.plan, limits_, t.child_task).Run(t.region);
  });
  if (!child.ok()) return CouldNotRun(std::move(task), child.error().message);
  task->child = std::move(child).value();
  running_.push_back(std::move(task));
}

void Scheduler::CouldNotRun(std::unique_ptr<Task> task, const std::string& why) {
  if (++task->failures < 2) {  // once more, alone: memory may be free then
    alone_.push_back(std::move(task));
    return;
  }
  task->done.tool_error = why.empty() ? "unknown" : why;
  task->done.fates.clear();
  finished_.push_back(std::move(task->done));
}

std::vector<MutantDone> Scheduler::Collect(double wait_s) {
  int64_t until =
      MonotonicNanoseconds() + static_cast<int64_t>(std::min(wait_s, kLongestSleep) * 1e9);
  while (true) {
    Start();
    if (!finished_.empty() || running_.empty()) break;
    double sleep = 1e-9 * static_cast<double>(until - MonotonicNanoseconds());
    bool last_look = sleep <= 0;
    // A child may go on to an image with a nearer deadline; none is nearer than this.
    sleep = std::min(sleep, std::max(kShortestSleep, limits_.wall_factor * limits_.floor_s));
    std::vector<pollfd> fds;
    for (const auto& task : running_) {
      sleep = std::min(sleep, WallLeft(*task, original_, *references_, limits_));
      fds.push_back({task->child.pidfd(), POLLIN, 0});
    }
    int milliseconds = static_cast<int>(std::ceil(std::max(0.0, sleep) * 1000));
    ::poll(fds.data(), fds.size(), milliseconds);
    std::vector<std::unique_ptr<Task>> ended;
    for (size_t i = fds.size(); i-- > 0;) {
      Task& task = *running_[i];
      if (fds[i].revents == 0) {
        if (WallLeft(task, original_, *references_, limits_) > 0) continue;
        task.shot = true;
        task.child.Kill();
      }
      ended.push_back(std::move(running_[i]));
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    for (auto& task : ended) Ended(std::move(task));
    if (last_look && ended.empty()) break;
  }
  return std::exchange(finished_, {});
}

bool Scheduler::TakeRecords(Task& task) {
  for (int i = 0; i < task.region.completed(); ++i) {
    Record record;
    std::vector<Ranked> top;
    std::vector<char> extra;
    if (!task.region.Read(i, &record, &top, &extra) || record.image != task.child_task.next)
      return false;
    if (task.job.slow_oracle) {
      int image = task.child_task.images[static_cast<size_t>(record.image)];
      CompareWithOriginal(OracleResultFrom(extra, task.plan.typed), oracle_originals_.at(image),
                          task.plan, &record);
    }
    task.done.fates.push_back(FateFrom(task, record, top));
    ++task.child_task.next;
  }
  return true;
}

// What the child says of itself may be damaged: it counts where it can be true.
void Scheduler::CountChild(const Task& task, double forked_at) {
  const ChildFigures& figures = task.region.progress().figures;
  double life_s = SecondsNow() - forked_at;
  stats_.children += 1;
  stats_.children_s += life_s;
  auto add = [&](double part, double limit, double* total) {
    if (part >= 0 && part <= limit) *total += part;
  };
  add(figures.running_at - forked_at, life_s, &stats_.fork_s);
  if (figures.ended_at > 0) add(SecondsNow() - figures.ended_at, life_s, &stats_.exit_s);
  add(figures.load_s, life_s, &stats_.load_s);
  add(figures.kernels_s, life_s, &stats_.kernels_s);
  add(figures.remake_s, life_s, &stats_.remake_s);
  add(figures.compare_s, life_s, &stats_.compare_s);
  add(figures.guard_copy_s, life_s, &stats_.guard_copy_s);
  add(figures.guard_run_s, life_s, &stats_.guard_run_s);
  const double images = static_cast<double>(task.job.images.size());
  const double steps = static_cast<double>(task.plan.program().steps.size());
  add(figures.images, images, &stats_.images);
  add(figures.steps, images * steps, &stats_.steps);
  add(figures.steps_run, images * steps, &stats_.steps_run);
}

void Scheduler::Ended(std::unique_ptr<Task> task) {
  double forked_at = task->child.forked_at();
  int status = task->child.Reap();
  CountChild(*task, forked_at);
  std::string output = task->child.Output();
  task->child = Child();
  std::optional<Death> death = DeathOf(*task, status, output, limits_);
  int before = task->child_task.next;
  bool intact = TakeRecords(*task);
  if (!death && intact && task->region.progress().outcome == Outcome::kOutOfBounds) {
    // Only a run in plain memory, from the first image on, says how a deployment would behave.
    task->done.out_of_bounds = AccessOf(*task);
    task->done.fates.clear();
    task->child_task.next = 0;
    task->child_task.guards = false;
    task->suspect = -1;
    waiting_.push_front(std::move(task));
    return;
  }
  if (!intact) death = Death{.position = task->child_task.next, .detail = "it damaged its results"};
  // A repeated crash that did not come again was none of the mutant's.
  if (task->suspect >= 0 && task->child_task.next > task->suspect) task->suspect = -1;
  if (death) {
    if (death->position < task->child_task.next && !death->before_images)
      death->position = task->child_task.next;  // between two images
    return Died(std::move(task), *death);
  }
  task->failures = 0;
  if (task->child_task.guards && task->region.progress().inside) inside_.insert(task->done.mutant);
  int count = static_cast<int>(task->job.images.size());
  bool killed = false;
  if (task->child_task.next > before && task->job.stop_at_kill) {
    int image = task->child_task.images[static_cast<size_t>(task->child_task.next - 1)];
    killed = KilledByTop1(references_->runs()[static_cast<size_t>(image)].top,
                          task->done.fates.back().top);
  }
  if (killed || task->child_task.next >= count) {
    finished_.push_back(std::move(task->done));
  } else {
    waiting_.push_front(std::move(task));  // the oracle's next image
  }
}

void Scheduler::Died(std::unique_ptr<Task> task, const Death& death) {
  int count = static_cast<int>(task->job.images.size());
  if (death.kind == Death::Kind::kOurs) return CouldNotRun(std::move(task), death.detail);
  int position = std::min(death.position, count - 1);
  task->failures = 0;
  if (task->suspect != position) {
    task->suspect = position;
    task->child_task.next = position;
    task->child_task.guards = false;
    alone_.push_back(std::move(task));
    return;
  }
  task->suspect = -1;
  int end = death.before_images && !task->job.stop_at_kill ? count : position + 1;
  for (; position < end; ++position) {
    Fate fate{.image = task->job.images[static_cast<size_t>(position)]};
    fate.ending = death.kind == Death::Kind::kTimeout ? Ending::kTimeout : Ending::kCrashed;
    fate.detail = death.detail;
    task->done.fates.push_back(fate);
  }
  task->child_task.next = position;
  if (task->job.stop_at_kill || position >= count) {
    finished_.push_back(std::move(task->done));
  } else {
    waiting_.push_front(std::move(task));
  }
}

Result<const OracleResult*> Scheduler::OracleOriginal(int image) {
  auto known = oracle_originals_.find(image);
  if (known != oracle_originals_.end()) return &known->second;
  if (original_plan_ == nullptr)
    original_plan_ =
        std::make_unique<MutantPlan>(TRY(MakePlan(original_, MutantProgram{.mutant = "original"})));
  const TypedProgram& typed = original_plan_->typed;
  SharedRegion region = TRY(SharedRegion::Make(1, original_.top_k(), OracleExtraBytes(typed)));
  Child child = TRY(ForkChild(region, limits_.output_bytes, [&] {
    RunOracle(original_, *original_plan_, limits_,
              references_->runs()[static_cast<size_t>(image)].seconds,
              image_files_[static_cast<size_t>(image)], 0, region);
  }));
  child.Wait();
  Record record;
  std::vector<Ranked> top;
  std::vector<char> extra;
  if (region.completed() != 1 || !region.Read(0, &record, &top, &extra))
    return Fail(Code::kInternal, "the original failed in a process of its own: ",
                std::string(region.progress().text));
  return &(oracle_originals_[image] = OracleResultFrom(extra, typed));
}

}  // namespace mutatenn
