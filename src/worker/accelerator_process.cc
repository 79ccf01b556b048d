// The process that holds an accelerator: requests as JSON lines, one at a time, for the worker's
// Accelerator; a mutant's batches, fates and end as they come.
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>

#include "base/process.h"
#include "device/remote.h"
#include "worker/accelerator.h"
#include "worker/device_mutant.h"
#include "worker/floors.h"
#include "worker/sabotage.h"
#include "worker/step_hashes.h"

namespace mutatenn {
namespace {

// Reads requests and makes the next mutants ready while others run; takes apart those that ran.
class Loader {
 public:
  struct Request {
    Json json;
    std::unique_ptr<DeviceMutant> mutant;  // of a "run"
    Result<bool> ok = true;
  };

  explicit Loader(int fd) : channel_(fd), thread_([this] { Read(); }) {}
  ~Loader() {
    ::shutdown(channel_.fd(), SHUT_RDWR);
    thread_.join();
  }
  // From any thread; one at a time.
  Status Send(const Json& message) {
    const std::string line = DumpJson(message) + "\n";
    for (size_t sent = 0; sent < line.size();) {
      const ssize_t n = ::send(channel_.fd(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
      if (n >= 0) {
        sent += static_cast<size_t>(n);
      } else if (errno == EAGAIN) {  // what comes meanwhile is read by the other thread
        pollfd room = {channel_.fd(), POLLOUT, 0};
        ::poll(&room, 1, -1);
      } else if (errno != EINTR) {
        return Fail(Code::kUnavailable, "the worker is gone");
      }
    }
    return Ok();
  }

  // For mutants that come from now on. None may be under way.
  void Use(const DeviceExecutor* executor) {
    const std::lock_guard lock(mutex_);
    executor_ = executor;
  }
  Result<Request> Next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty(); });
    Request request = std::move(ready_.front());
    ready_.pop_front();
    if (!request.ok.ok()) return request.ok.error();
    return request;
  }
  void Discard(std::unique_ptr<DeviceMutant> mutant) {
    const std::lock_guard lock(mutex_);
    done_.push_back(std::move(mutant));
  }

 private:
  void Read() {
    for (bool more = true; more;) {
      Request request;
      auto json = channel_.Receive(-1);
      std::vector<std::unique_ptr<DeviceMutant>> done;
      const DeviceExecutor* executor = nullptr;
      {
        const std::lock_guard lock(mutex_);
        executor = executor_;
        done.swap(done_);
      }
      more = json.ok();
      if (!json.ok()) {
        request.ok = json.error();
      } else {
        request.json = std::move(*json);
        if (request.json.value("op", "") == "run" && executor != nullptr) {
          auto job = MutantJobFromJson(request.json.at("job"));
          if (job.ok()) {
            request.mutant = DeviceMutant::Prepare(*executor, std::move(*job));
          } else {
            request.ok = job.error();
          }
        }
      }
      const std::lock_guard lock(mutex_);
      ready_.push_back(std::move(request));
      changed_.notify_one();
    }
  }

  LineChannel channel_;  // received from by the thread alone
  std::mutex mutex_;
  std::condition_variable changed_;
  const DeviceExecutor* executor_ = nullptr;
  std::deque<Request> ready_;
  std::vector<std::unique_ptr<DeviceMutant>> done_;
  std::thread thread_;
};

class Holder {
 public:
  explicit Holder(int fd) : loader_(fd) {}

  int Run() {
    for (;;) {
      auto request = loader_.Next();
      if (!request.ok()) return 0;  // the worker is gone
      const Json& json = request->json;
      const std::string op = json.value("op", "");
      if (op == "run") {
        if (request->mutant == nullptr || !RunMutant(json, *request->mutant).ok()) return 0;
        loader_.Discard(std::move(request->mutant));
        continue;
      }
      const Result<Json> answer = op == "load"      ? Load(json)
                                  : op == "images"  ? Images(json)
                                  : op == "outputs" ? Outputs(json)
                                  : op == "floors"  ? Floors(json)
                                  : op == "hashes"  ? Hashes(json)
                                  : op == "probe"   ? RunProbe(json)
                                                    : Fail(Code::kInternal, "unknown request ", op);
      if (!loader_.Send(ParseJson(SealReply(answer), "a reply").value()).ok()) return 0;
    }
  }

 private:
  Result<Json> Load(const Json& request) {
    executor_ = TRY(DeviceExecutor::Load(TRY(LoadRequestFromJson(request.at("request")))));
    loader_.Use(executor_.get());
    return Json{{"name", executor_->name()},
                {"reference_bytes", executor_->original().reference_bytes()}};
  }

  Result<Json> Images(const Json& request) {
    Json runs = Json::array();
    for (const OriginalRun& run : TRY(executor_->SetImages(
             TRY(ImageInputsFromJson(request.at("images"))), request.at("file").get<std::string>(),
             TRY(OriginalRunsFromJson(request.at("known"))))))
      runs.push_back(ToJson(run));
    return runs;
  }

  Result<Json> Outputs(const Json& request) {
    return ToJson(TRY(executor_->Outputs(request.at("image").get<std::string>())));
  }

  Result<Place> Aside(const Json& request) {
    return OnAccelerator(executor_->original(), executor_->device(),
                         TRY(ImageInputsFromJson(request.at("images"))));
  }

  Result<Json> Floors(const Json& request) {
    return ToJson(
        TRY(MeasureFloors(executor_->original(), TRY(Aside(request)),
                          TRY(FloorRequestFromJson(request.at("request"))), [] { return true; })));
  }

  Result<Json> Hashes(const Json& request) {
    return ToJson(
        TRY(HashSteps(executor_->original(), TRY(Aside(request)),
                      request.at("names").get<std::vector<std::string>>(), [] { return true; })));
  }

  Result<Json> RunProbe(const Json& request) {
    return ToJson(TRY(executor_->RunProbe(TRY(ProbeFromJson(request.at("probe"))))));
  }

  Status RunMutant(const Json& request, DeviceMutant& mutant) {
    Status sent = Ok();
    auto send = [&](const Json& message) {
      if (sent.ok()) sent = loader_.Send(message);
    };
    DeviceExecutor::Watcher watcher;
    watcher.fates = [&](const std::vector<Fate>& fates) {
      Json list = Json::array();
      for (const Fate& fate : fates) list.push_back(ToJson(fate));
      send({{"fates", list}});
    };
    watcher.batch = [&](int images, const std::string& step) {
      send({{"batch", images}, {"step", step}});
      if (!step.empty() && ActiveSabotage() == Sabotage::kDeviceLost) std::raise(SIGKILL);
    };
    const DeviceFigures before = executor_->figures();
    const DeviceRunEnd end = executor_->Run(mutant, request.at("next").get<int>(),
                                            request.at("largest").get<int>(), watcher);
    const DeviceFigures& after = executor_->figures();
    using Kind = DeviceRunEnd::Kind;
    Json said = {{"kind", end.kind == Kind::kFinished       ? "finished"
                          : end.kind == Kind::kKernelFailed ? "kernel"
                                                            : "tool"},
                 {"detail", end.detail},
                 {"busy_s", after.busy_s - before.busy_s},
                 {"launches", after.launches - before.launches},
                 {"waits", after.waits - before.waits}};
    if (end.out_of_bounds)
      said["out_of_bounds"] = {{"step", end.out_of_bounds->step},
                               {"buffer", end.out_of_bounds->buffer},
                               {"offset", end.out_of_bounds->offset}};
    send({{"end", said}});
    return sent;
  }

  std::unique_ptr<DeviceExecutor> executor_;
  Loader loader_;
};

}  // namespace

int ServeAccelerator(int fd) { return Holder(fd).Run(); }

}  // namespace mutatenn
