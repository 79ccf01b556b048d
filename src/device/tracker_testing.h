// For tests: TVM's official tracker on a free loopback port. Needs its Python packages.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include "device/server_testing.h"
#include "device/tracker.h"

namespace mutatenn {

class TestTracker {
 public:
  static bool Possible() {
    static const bool possible =
        std::system((Python() + " -c 'import tornado, psutil, cloudpickle' "
                                "2>/dev/null")
                        .c_str()) == 0;
    return possible;
  }
  static std::string Python() {
    const char* python = std::getenv("MUTATENN_PYTHON");
    return python != nullptr ? python : "python3";
  }
  TestTracker() {
    // The tracker takes the first free port of a range and says which one only in its log.
    ProcessOptions options;
    options.command = {Python(),     "-u",
                       "-m",         "tvm.exec.rpc_tracker",
                       "--host",     "127.0.0.1",
                       "--port",     std::to_string(kFirst),
                       "--port-end", std::to_string(kFirst + 200)};
    options.socket = false;
    process_ = Good(Process::Start(options));
    static constexpr std::string_view kLine = "bind to 127.0.0.1:";
    for (int i = 0; i < 1500; ++i) {
      std::string said = process_->LastOutput(50);
      if (size_t at = said.find(kLine); at != std::string::npos) {
        address_ = {"127.0.0.1", std::atoi(said.c_str() + at + kLine.size())};
        return;
      }
      if (process_->Wait(0.02).ok()) break;
    }
    CHECK(false, "the tracker did not start: " + process_->LastOutput(5));
  }
  Address address() const { return address_; }
  std::string text() const { return "127.0.0.1:" + std::to_string(address_.port); }

  // Until so many servers have registered under `key`.
  void Await(const std::string& key, int count) const {
    for (int i = 0; i < 1000; ++i) {
      Tracker tracker = Good(Tracker::Connect(address_));
      if (Good(tracker.Count(key)) == count) return;
      (void)process_->Wait(0.02);
    }
    CHECK(false, "the servers did not register");
  }

 private:
  static constexpr int kFirst = 19190;
  std::unique_ptr<Process> process_;
  Address address_;
};

}  // namespace mutatenn
