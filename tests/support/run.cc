// Fork, exec, wait, with output in files: the plainest way to run a program from a test.
#include "support/run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/files.h"

namespace mutatenn {
namespace fs = std::filesystem;

namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

RunResult Run(const std::vector<std::string>& command, const RunOptions& options) {
  Scratch scratch;
  const std::string out = scratch / "out", err = scratch / "err";
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  if (options.user != 0) ::chmod(scratch.path.c_str(), 0777);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    ::dup2(::open(out.c_str(), O_CREAT | O_WRONLY, 0666), 1);
    ::dup2(::open(err.c_str(), O_CREAT | O_WRONLY, 0666), 2);
    for (const auto& [name, value] : options.environment) {
      if (value.empty())
        ::unsetenv(name.c_str());
      else
        ::setenv(name.c_str(), value.c_str(), 1);
    }
    if (options.largest_file > 0) {
      ::signal(SIGXFSZ, SIG_IGN);
      rlimit limit{static_cast<rlim_t>(options.largest_file),
                   static_cast<rlim_t>(options.largest_file)};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (options.user != 0 && ::getuid() == 0 && ::setuid(static_cast<uid_t>(options.user)) != 0)
      ::_exit(126);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  if (options.while_running) options.while_running(pid);
  if (options.kill_when) {
    siginfo_t info{};
    while (!options.kill_when()) {
      info.si_pid = 0;
      ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
      if (info.si_pid != 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ::kill(pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  RunResult result;
  result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (auto text = ReadFile(out); text.ok()) result.out = *text;
  if (auto text = ReadFile(err); text.ok()) result.err = *text;
  return result;
}

RunResult Mutatenn(std::vector<std::string> arguments, const RunOptions& options) {
  arguments.insert(arguments.begin(), Environment("MUTATENN_BIN_DIR") + "/mutatenn");
  return Run(arguments, options);
}

RunResult Python(const std::string& script, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {Environment("MUTATENN_PYTHON"), script});
  return Run(arguments);
}

fs::path SourceDirectory() { return Environment("MUTATENN_SOURCE_DIR"); }

fs::path SharedDirectory() {
  fs::path shared = SourceDirectory().parent_path() / "shared";
  return fs::exists(shared / "models" / "manifest.json") ? shared : fs::path();
}

SharedModel FindSharedModel(const std::string& file) {
  const Json manifest = LoadJson((SharedDirectory() / "models/manifest.json").string());
  for (const Json& model : manifest["models"]) {
    if (model["file"] != file) continue;
    const Json& input = model["preprocessing"];
    return {.configuration = {{"name", "shared"},
                              {"path", (SharedDirectory() / "models" / file).string()},
                              {"preprocessing",
                               {{"resize_short_side", input["resize_short_side"]},
                                {"crop", input["crop_size"]},
                                {"scale", input["scale"]},
                                {"mean", input["mean"]},
                                {"std", input["std"]}}}},
            .top1 = model["accuracy"]["top1"].get<double>()};
  }
  ADD_FAILURE() << file << " is not in ../shared/models/manifest.json";
  return {};
}

Scratch::Scratch() {
  std::string pattern = (fs::temp_directory_path() / "mutatenn-test-XXXXXX").string();
  path = ::mkdtemp(pattern.data());
}
Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

Json LoadJson(const std::string& file) {
  auto text = ReadFile(file);
  EXPECT_TRUE(text.ok()) << file;
  if (!text.ok()) return {};
  auto json = ParseJson(*text, file);
  EXPECT_TRUE(json.ok()) << json.error().message;
  return json.ok() ? *json : Json();
}

namespace {

std::string WriteCampaign(const fs::path& folder, Json config, const Json& changes) {
  config.merge_patch(changes);
  const std::string file = (folder / "campaign.json").string();
  EXPECT_TRUE(WriteFile(file, config.dump(2)).ok());
  return file;
}

}  // namespace

std::string MakeTinyCampaign(const fs::path& folder, const Json& changes) {
  // The network takes Python a second or two: made once, copied afterwards.
  static const Scratch made;
  static const RunResult result =
      Python((SourceDirectory() / "tests/support/make_tiny.py").string(), {made.path.string()});
  EXPECT_EQ(result.status, 0) << result.err;
  fs::copy(made.path, folder, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  return WriteCampaign(folder, LoadJson((folder / "campaign.json").string()), changes);
}

std::string MakeExampleCampaign(const fs::path& folder, const Json& changes) {
  const fs::path example = SourceDirectory() / "examples/quickstart";
  Json config = LoadJson((example / "campaign.json").string());
  for (Json& model : config["models"])
    for (const char* key : {"path", "classes"})
      model[key] = (example / model[key].get<std::string>()).string();
  config["images"]["path"] = (example / "images").string();
  config["images"]["truth"] = (example / "labels.tsv").string();
  return WriteCampaign(folder, config, changes);
}

Json Report(const std::string& folder) {
  RunResult result = Mutatenn({"report", folder, "--json", "-"});
  EXPECT_EQ(result.status, 0) << result.err;
  auto json = ParseJson(result.out, "report");
  EXPECT_TRUE(json.ok()) << result.out.substr(0, 300);
  return json.ok() ? *json : Json();
}

Json Comparable(Json report) {
  std::function<void(Json&)> strip = [&](Json& json) {
    if (json.is_object()) {
      for (const char* key : {"seconds", "total_seconds"}) json.erase(key);
    }
    if (json.is_structured())
      for (Json& child : json) strip(child);
  };
  strip(report);
  report["campaign"].erase("id");
  return report;
}

Json RunAndReport(const std::string& campaign, const std::string& folder,
                  std::vector<std::string> more) {
  std::vector<std::string> command = {"run", campaign, "--out", folder, "--quiet"};
  command.insert(command.end(), more.begin(), more.end());
  RunResult run = Mutatenn(command);
  EXPECT_EQ(run.status, 0) << run.err;
  return Comparable(Report(folder));
}

}  // namespace mutatenn
