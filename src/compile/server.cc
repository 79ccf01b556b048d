// `mutatenn compile-server`: one pipeline behind a socket. Single-threaded, holds the compiler and
// the imported model; every mutant is compiled in a forked child.
#include <algorithm>
#include <csignal>

#include "base/process.h"
#include "compile/fork_pool.h"
#include "compile/pipeline.h"
#include "compile/server_messages.h"

namespace mutatenn {
namespace {

class Server {
 public:
  explicit Server(int fd) : channel_(fd) {}

  int Run() {
    for (;;) {
      auto request = channel_.Receive(-1);
      if (!request.ok()) return 0;  // the other end is gone: nothing to do for anybody
      const std::string op = (*request)["op"].get<std::string>();
      Status handled = op == "open"     ? Open(*request)
                       : op == "points" ? Points(*request)
                       : op == "build"  ? Build(*request)
                       : op == "print"  ? Print(*request)
                       : op == "export" ? Export(*request)
                       : op == "jobs"   ? SetJobs(*request)
                                        : Status(Fail(Code::kInternal, "unknown request ", op));
      if (!handled.ok() && !channel_.Send(ErrorToJson(handled.error())).ok()) return 0;
    }
  }

 private:
  Status Open(const Json& request) {
    // The front end starts first: its interpreter loads while we load the compiler.
    auto frontend = TRY(StartFrontend(""));
    TRY(LoadCompiler());
    pipeline_ = std::make_unique<Pipeline>(GeneratorOptionsFromJson(request["options"]),
                                           std::move(frontend));
    jobs_ = pipeline_->options().jobs;
    TRY(pipeline_->Open());
    TRY(pipeline_->options().compile ? pipeline_->CompileOriginal() : pipeline_->AssembleOnly());
    return channel_.Send(ToJson(pipeline_->Describe()));
  }

  Status Points(const Json& request) {
    std::vector<OperatorUse> uses;
    for (const Json& use : request["uses"]) uses.push_back(OperatorUseFromJson(use));
    Json all = Json::array();
    for (const PointsOfUse& points : TRY(pipeline_->Points(uses))) all.push_back(ToJson(points));
    return channel_.Send({{"points", all}});
  }

  Status Print(const Json& request) {
    return channel_.Send({{"text", TRY(pipeline_->Print(request["target"].get<int>(),
                                                        request["kernel"].get<std::string>()))}});
  }

  Status Export(const Json& request) {
    TRY(pipeline_->Export({request["target"].get<int>(), TRY(MutantFromJson(request["mutant"])),
                           static_cast<ExportForm>(request["form"].get<int>()),
                           request["file"].get<std::string>(), request["story"]}));
    return channel_.Send({{"done", true}});
  }

  Status SetJobs(const Json& request) {
    jobs_ = std::max(1, request["jobs"].get<int>());
    return Ok();
  }

  // What the campaign says while it waits for mutants: nothing but how many at a time.
  Status TakeJobs() {
    for (;;) {
      Result<Json> request = channel_.Receive(0);
      if (!request.ok() && request.error().code == Code::kTimeout) return Ok();
      TRY(request);
      if ((*request)["op"] != "jobs")
        return Fail(Code::kInternal, "only jobs may change while mutants are built");
      TRY(SetJobs(*request));
    }
  }

  Status Build(const Json& request) {
    const int target = request["target"].get<int>();
    std::vector<Mutant> mutants;
    for (const Json& mutant : request["mutants"]) mutants.push_back(TRY(MutantFromJson(mutant)));
    std::vector<int> todo;
    for (size_t i = 0; i < mutants.size(); ++i) todo.push_back(static_cast<int>(i));
    pipeline_->Prepare(target, mutants);

    auto lost = [&](int item, const std::string& why) {
      BuiltMutant built;
      built.mutant = mutants[item].id;
      built.target = target;
      built.state = "stillborn";
      built.reason = why;
      return channel_.Send({{"built", ToJson(built)}});
    };
    // A graph mutant may need operators legalised, and then kernels scheduled for a GPU, that only
    // this process can ask for; it returns without being built and comes again. Three times are
    // enough: its graph does not change in between.
    for (int round = 0; round < 3 && !todo.empty(); ++round) {
      std::vector<int> again;
      auto work = [&](const std::vector<int>& items) {
        std::vector<Mutant> batch;
        for (int item : items) batch.push_back(mutants[item]);
        std::vector<Json> results;
        for (const Pipeline::Answer& answer : pipeline_->Build(target, batch)) {
          if (answer.needs.empty())
            results.push_back({{"built", ToJson(answer.built)}});
          else
            results.push_back({{"needs", answer.needs}});
        }
        return results;
      };
      ForkPoolOptions pool;
      pool.jobs = jobs_;
      pool.batch = pipeline_->options().batch;
      pool.limit_s = pipeline_->options().batch_limit_s;
      auto done = [&](int item, const Json& result) -> Status {
        TRY(TakeJobs());
        pool.jobs = jobs_;
        if (!result.contains("needs")) return channel_.Send(result);
        Status legalised = pipeline_->Legalize(result["needs"].get<std::string>());
        if (legalised.ok())
          again.push_back(item);
        else
          TRY(lost(item, legalised.error().message));
        return Ok();
      };
      TRY(RunInChildren(todo, pool, work, done, lost));
      todo = again;
    }
    for (int item : todo) TRY(lost(item, "its operators could not be legalised"));
    return channel_.Send({{"done", true}});
  }

  LineChannel channel_;
  int jobs_ = 1;
  std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace

int ServeCompiler(int fd) {
  ::signal(SIGPIPE, SIG_IGN);
  return Server(fd).Run();
}

}  // namespace mutatenn
