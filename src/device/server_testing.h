// For tests: `mutatenn-worker serve` on a free loopback port, with a cache of its own.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/process.h"
#include "device/farm.h"
#include "device/session_testing.h"

namespace mutatenn {

class TestServer {
 public:
  // `command`: what stands before `serve`; the worker of this build by default.
  explicit TestServer(std::vector<std::string> more = {},
                      std::vector<std::string> command = {WorkerPath()}) {
    std::string name = (std::filesystem::temp_directory_path() / "mutatenn-serve-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    cache_ = name;
    more_ = std::move(more);
    command_ = std::move(command);
    Start("127.0.0.1:0");
  }
  ~TestServer() {
    process_.reset();
    std::filesystem::remove_all(cache_);
  }
  Address address() const { return address_; }
  const std::filesystem::path& cache() const { return cache_; }
  int pid() const { return process_->pid(); }
  std::string output() const { return process_->LastOutput(50); }

  void Kill() {
    process_->Kill();
    (void)process_->Wait(10);
  }
  // Processes of its connections.
  std::vector<int> Sessions() const {
    std::string pid = std::to_string(process_->pid());
    std::ifstream list("/proc/" + pid + "/task/" + pid + "/children");
    std::vector<int> found;
    for (int child; list >> child;) found.push_back(child);
    return found;
  }

 private:
  void Start(const std::string& listen) {
    ProcessOptions options;
    options.command = command_;
    for (const std::string& word : {std::string("serve"), std::string("--listen"), listen,
                                    std::string("--cache"), cache_.string()})
      options.command.push_back(word);
    options.command.insert(options.command.end(), more_.begin(), more_.end());
    options.environment["MUTATENN_SABOTAGE"] = "";
    options.socket = false;
    process_ = Good(Process::Start(options));
    static constexpr std::string_view kLine = "listening on ";
    for (int i = 0; i < 1500; ++i) {
      std::string said = process_->LastOutput(50);
      size_t at = said.find(kLine);
      if (at != std::string::npos) {
        address_ = Good(
            ParseAddress(said.substr(at + kLine.size(), said.find(" |", at) - at - kLine.size())));
        return;
      }
      if (process_->Wait(0.02).ok()) break;
    }
    CHECK(false, "the server did not start: " + process_->LastOutput(5));
  }

  std::filesystem::path cache_;
  std::vector<std::string> more_, command_;
  std::unique_ptr<Process> process_;
  Address address_;
};

// Fails fast, for tests of failures.
inline FarmOptions FarmOf(const std::vector<const TestServer*>& servers) {
  FarmOptions options;
  for (const TestServer* server : servers) options.servers.push_back(server->address());
  options.timeout_s = 60;
  options.pause_s = 0.01;
  return options;
}

}  // namespace mutatenn
