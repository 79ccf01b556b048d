// The campaign's side of the compile server: starts it, asks, and hands results on as they come.
#include "compile/generator.h"

#include <unistd.h>

#include <cstdlib>

#include "base/files.h"
#include "base/process.h"
#include "compile/server_messages.h"

namespace mutatenn {
namespace {

// `mutatenn` itself: this program, or beside it (tests), or where the environment says.
std::string ServerProgram() {
  if (const char* named = std::getenv("MUTATENN_PROGRAM")) return named;
  if (const char* folder = std::getenv("MUTATENN_BIN_DIR"))
    return std::string(folder) + "/mutatenn";
  return (ExecutableDirectory() / "mutatenn").string();
}

class ServerGenerator : public Generator {
 public:
  Status Open(const GeneratorOptions& options) {
    ProcessOptions process;
    process.command = {ServerProgram(), "compile-server"};
    process.environment = {{"TVM_NUM_THREADS", "1"}};
    process.name = "the compile server";
    process_ = TRY(Process::Start(process));
    info_ = TRY(GeneratorInfoFromJson(TRY(Ask({{"op", "open"}, {"options", ToJson(options)}}))));
    return Ok();
  }

  const GeneratorInfo& info() const override { return info_; }

  Result<std::vector<PointsOfUse>> Points(const std::vector<OperatorUse>& uses) override {
    Json list = Json::array();
    for (const OperatorUse& use : uses) list.push_back(ToJson(use));
    Json answer = TRY(Ask({{"op", "points"}, {"uses", list}}));
    std::vector<PointsOfUse> all;
    for (const Json& points : answer["points"]) all.push_back(TRY(PointsOfUseFromJson(points)));
    return all;
  }

  Status Build(int target, const std::vector<Mutant>& mutants, const Done& done) override {
    Json list = Json::array();
    for (const Mutant& mutant : mutants) list.push_back(ToJson(mutant));
    TRY(process_->Send({{"op", "build"}, {"target", target}, {"mutants", list}}));
    for (;;) {
      Json answer = TRY(Receive());
      if (answer.contains("done")) return Ok();
      BuiltMutant built = TRY(BuiltMutantFromJson(answer["built"]));
      if (built.state == "error")
        return Fail(Code::kIo, "building mutant ", built.mutant, ": ", built.reason);
      TRY(done(built));
    }
  }

  // No answer comes: it may be sent while Build waits for its own.
  Status SetJobs(int jobs) override { return process_->Send({{"op", "jobs"}, {"jobs", jobs}}); }

  Result<std::string> Print(int target, const std::string& kernel) override {
    Json answer = TRY(Ask({{"op", "print"}, {"target", target}, {"kernel", kernel}}));
    return answer["text"].get<std::string>();
  }

  Status Export(const ExportRequest& request) override {
    TRY(Ask({{"op", "export"},
             {"target", request.target},
             {"mutant", ToJson(request.mutant)},
             {"form", static_cast<int>(request.form)},
             {"file", request.file},
             {"story", request.story}}));
    return Ok();
  }

 private:
  Result<Json> Receive() {
    Json answer = TRY(process_->Receive(-1));
    if (answer.contains("error")) return ErrorFromJson(answer);
    return answer;
  }
  Result<Json> Ask(const Json& request) {
    TRY(process_->Send(request));
    return Receive();
  }

  std::unique_ptr<Process> process_;
  GeneratorInfo info_;
};

}  // namespace

Result<std::unique_ptr<Generator>> StartGenerator(const GeneratorOptions& options) {
  auto generator = std::make_unique<ServerGenerator>();
  TRY(generator->Open(options));
  return std::unique_ptr<Generator>(std::move(generator));
}

}  // namespace mutatenn
