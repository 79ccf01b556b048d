// Turns a model file into an ImportedModel by asking the front-end child (python -m
// mutatenn.frontend), and finds the interpreter and the Python package that belong to this program.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "base/process.h"
#include "model/model.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr double kImportTimeout = 900;  // s; networks of hundreds of MB on a slow disk
constexpr double kLegalizeTimeout = 120;
constexpr double kScheduleTimeout = 600;  // s; a kernel takes 20 ms, a network has some hundred
constexpr double kUserTimeout = 120;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool IsFile(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::string FindPython(const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  if (std::string named = Environment("MUTATENN_PYTHON"); !named.empty()) return named;
  fs::path directory = ExecutableDirectory();
  // build/bin of the source tree; site-packages/mutatenn/bin of a virtual environment.
  for (const char* beside : {"../../.venv/bin/python", "../../../../../bin/python"}) {
    if (IsFile(directory / beside)) return (directory / beside).lexically_normal().string();
  }
#ifdef MUTATENN_DEFAULT_PYTHON
  if (IsFile(MUTATENN_DEFAULT_PYTHON)) return MUTATENN_DEFAULT_PYTHON;
#endif
  return "python3";
}

// The folder that holds the package `mutatenn`; "" = where the interpreter finds it by itself.
std::string FindPackage() {
  if (std::string named = Environment("MUTATENN_PYTHONPATH"); !named.empty()) return named;
  fs::path directory = ExecutableDirectory();
  for (const char* beside : {"../../python", "../.."}) {
    if (IsFile(directory / beside / "mutatenn" / "frontend.py")) {
      return (directory / beside).lexically_normal().string();
    }
  }
  return "";
}

Code CodeFromName(const std::string& name) {
  if (name == "invalid_input") return Code::kInvalidInput;
  if (name == "unsupported") return Code::kUnsupported;
  if (name == "io") return Code::kIo;
  if (name == "unavailable") return Code::kUnavailable;
  return Code::kTvm;
}

class PythonFrontend : public Frontend {
 public:
  explicit PythonFrontend(std::unique_ptr<Process> process) : process_(std::move(process)) {}

  Result<ImportedModel> Import(const std::string& path, const std::string& weights_file) override {
    if (!IsFile(path)) return Fail(Code::kNotFound, path, ": no such model file");
    Json answer =
        TRY(Ask({{"op", "import"}, {"path", path}, {"weights", weights_file}}, kImportTimeout));
    ImportedModel model = TRY(Read(answer));
    std::string module_file = answer.value("module_file", "");
    model.module_json = TRY(ReadFile(module_file));
    ::unlink(module_file.c_str());
    return model;
  }

  Result<std::string> Legalize(const std::string& module_json) override {
    Json answer = TRY(Ask({{"op", "legalize"}, {"module", module_json}}, kLegalizeTimeout));
    return answer.value("module", "");
  }

  Result<std::map<std::string, std::string>> Schedule(const std::string& module_json,
                                                      const std::string& target) override {
    Json answer = TRY(
        Ask({{"op", "schedule"}, {"module", module_json}, {"target", target}}, kScheduleTimeout));
    try {
      return answer.at("traces").get<std::map<std::string, std::string>>();
    } catch (const Json::exception& e) {
      return Fail(Code::kInternal, "the front-end's answer is malformed: ", e.what());
    }
  }

  Result<UserPoints> FindUserPoints(const std::string& file,
                                    const std::vector<std::string>& module_jsons) override {
    Json answer =
        TRY(Ask({{"op", "user_points"}, {"file", file}, {"modules", module_jsons}}, kUserTimeout));
    UserPoints points;
    try {
      points.level = answer.at("level");
      points.points = answer.at("points").get<std::vector<std::vector<std::string>>>();
    } catch (const Json::exception& e) {
      return Fail(Code::kInternal, "the front-end's answer is malformed: ", e.what());
    }
    if (points.points.size() != module_jsons.size())
      return Fail(Code::kInternal, "the front-end answered for another number of modules");
    return points;
  }

  Result<std::string> ApplyUserPoints(const std::string& file, const std::string& origin_json,
                                      const std::string& module_json,
                                      const std::vector<int>& numbers) override {
    Json answer = TRY(Ask({{"op", "user_apply"},
                           {"file", file},
                           {"origin", origin_json},
                           {"module", module_json},
                           {"numbers", numbers}},
                          kUserTimeout));
    return answer.value("module", "");
  }

  Status UseModule(const std::string& op, Json request) override {
    request["op"] = op;
    TRY(Ask(request, kImportTimeout));
    return Ok();
  }

 private:
  Result<Json> Ask(const Json& request, double timeout_s) {
    TRY(process_->Send(request));
    Result<Json> answer = process_->Receive(timeout_s);
    if (!answer.ok()) {
      // A late answer to this request must never be taken for the answer to the next.
      if (answer.error().code == Code::kTimeout) process_->Kill();
      return answer.error();
    }
    if (!answer->is_object()) return Fail(Code::kInternal, "the front-end answered no object");
    if (!answer->value("ok", false)) {
      return Fail(CodeFromName(answer->value("code", "")),
                  answer->value("message", "no reason given"));
    }
    return answer;
  }

  static Result<ImportedModel> Read(const Json& answer) {
    ImportedModel model;
    try {
      for (const Json& w : answer.at("weights")) {
        model.weights.push_back({w.at("name"), w.at("shape").get<std::vector<int64_t>>(),
                                 w.at("dtype"), w.at("offset"), w.at("bytes")});
      }
      for (const Json& l : answer.at("layers")) model.layers.push_back({l.at("name"), l.at("op")});
      for (const Json& b : answer.at("bindings")) {
        model.bindings.push_back({b.at("layer"), b.at("synthetic")});
      }
      model.num_inputs = answer.at("num_inputs");
    } catch (const Json::exception& e) {
      return Fail(Code::kInternal, "the front-end's answer is malformed: ", e.what());
    }
    for (const ImportedBinding& binding : model.bindings) {
      if (binding.layer < 0 || binding.layer >= static_cast<int>(model.layers.size())) {
        return Fail(Code::kInternal, "the front-end names a layer that is none");
      }
    }
    return model;
  }

  std::unique_ptr<Process> process_;
};

}  // namespace

Result<std::unique_ptr<Frontend>> StartFrontend(const std::string& python) {
  ProcessOptions options;
  options.name = "the Python front-end";
  options.command = {FindPython(python), "-m", "mutatenn.frontend", std::to_string(kChildSocket)};
  // Safe path: a file `json.py` in the user's folder must not shadow Python's own.
  options.environment = {{"TVM_NUM_THREADS", "1"}, {"PYTHONSAFEPATH", "1"}, {"PYTHONUTF8", "1"}};
  if (fs::path quiet = ExecutableDirectory() / "mutatenn-backtrace.so"; IsFile(quiet))
    options.environment["MUTATENN_BACKTRACE"] = quiet.string();
  if (std::string package = FindPackage(); !package.empty()) {
    std::string inherited = Environment("PYTHONPATH");
    options.environment["PYTHONPATH"] = inherited.empty() ? package : package + ":" + inherited;
  }
  Result<std::unique_ptr<Process>> process = Process::Start(options);
  if (!process.ok()) return process.error().With("Python (named by MUTATENN_PYTHON)");
  return std::unique_ptr<Frontend>(new PythonFrontend(std::move(*process)));
}

}  // namespace mutatenn
