// What the tests of this room share: a folder that vanishes, and Python programs as oracles.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/process.h"

namespace mutatenn {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mutatenn_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string TestEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Files that the project shares but the repository does not hold; tests that need them are skipped.
inline std::string SharedFolder() {
  std::string named = TestEnvironment("MUTATENN_SHARED");
  return named.empty() ? TestEnvironment("MUTATENN_SOURCE_DIR") + "/../shared" : named;
}

inline bool HasPython() {
  return !TestEnvironment("MUTATENN_PYTHON").empty() &&
         !TestEnvironment("MUTATENN_SOURCE_DIR").empty();
}

// Runs a script beside this file to its end; its last output when it failed, else "".
inline std::string RunPython(const std::string& script, const std::vector<std::string>& arguments) {
  std::string source = TestEnvironment("MUTATENN_SOURCE_DIR");
  ProcessOptions options;
  options.socket = false;
  options.command = {TestEnvironment("MUTATENN_PYTHON"), source + "/src/model/" + script};
  options.command.insert(options.command.end(), arguments.begin(), arguments.end());
  options.environment = {{"PYTHONPATH", source + "/python"}, {"TVM_NUM_THREADS", "1"}};
  auto process = Process::Start(options);
  if (!process.ok()) return process.error().message;
  auto status = (*process)->Wait(300);
  if (!status.ok()) return status.error().message;
  if (*status == 0) return "";
  return DescribeWaitStatus(*status) + ": " + (*process)->LastOutput(8);
}

}  // namespace mutatenn
