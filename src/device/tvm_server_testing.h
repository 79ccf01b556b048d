// For tests: TVM's official RPC server (`python -m tvm.exec.rpc_server`) on a free loopback port, a
// command that starts it again, and the folder of what is uploaded to it. Needs the Python packages
// that TestTracker::Possible looks for.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/files.h"
#include "device/tracker_testing.h"
#include "device/worker_files.h"

namespace mutatenn {

class TestTvmServer {
 public:
  explicit TestTvmServer(const std::string& arguments = "") {
    std::string name = (std::filesystem::temp_directory_path() / "mutatenn-tvm-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
    WriteScript(kFirst, kFirst + 200, arguments);
    Start();
    std::string log = Log();
    static constexpr std::string_view kLine = "bind to 127.0.0.1:";
    address_ = {"127.0.0.1", std::atoi(log.c_str() + log.find(kLine) + kLine.size())};
    WriteScript(address_.port, address_.port + 1, arguments);
    // What lies beside the programs is more than a worker needs.
    const std::filesystem::path programs = std::filesystem::path(WorkerPath()).parent_path();
    for (const char* file : {"mutatenn-worker", "libmutatenn-upload.so"})
      Good(LinkOrCopy(programs / file, folder_ / "worker" / file));
    for (const auto& [file, path] : Good(WorkerFiles("", "llvm")))
      if (file.starts_with("libfmt")) Good(LinkOrCopy(path, folder_ / "worker" / file));
  }
  ~TestTvmServer() {
    (void)Shell("kill -9 -$(cat " + (folder_ / "pid").string() + ")");
    std::filesystem::remove_all(folder_);
  }
  Address address() const { return address_; }
  // Ends it, if it still is there, and starts it again on the same port.
  std::string command() const { return (folder_ / "start").string(); }
  TvmServerOptions options() const {
    return {.worker = folder_ / "worker", .cache = folder_ / "cache"};
  }
  std::string worker() const { return folder_ / "worker/mutatenn-worker"; }
  std::string Log() const {
    std::ifstream in(folder_ / "log");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // Processes of the sessions it has open, which their clients would not survive either.
  void KillSessions() const {
    // server, its listening process, sessions
    EXPECT_EQ(
        Shell(fmt::format("for p in $(pgrep -P $(pgrep -P $(cat {0}/pid))); do kill -9 $p; done",
                          folder_.string())),
        0);
  }

 private:
  static constexpr int kFirst = 19490;
  static int Shell(const std::string& command) { return std::system(command.c_str()); }
  void WriteScript(int port, int end, const std::string& arguments) {
    std::filesystem::create_directories(folder_ / "worker");
    std::ofstream(folder_ / "start") << fmt::format(
        R"sh(#!/bin/sh
cd {0} || exit 2
[ ! -e pid ] || kill -9 -$(cat pid) 2>/dev/null
rm -f log; export HOME=$PWD
setsid {1} -u -m tvm.exec.rpc_server --host 127.0.0.1 --port {2} --port-end {3} {4} >log 2>&1 </dev/null &
echo $! > pid
until grep -q 'bind to' log 2>/dev/null; do kill -0 $! || exit 1; sleep 0.05; done
)sh",
        folder_.string(), TestTracker::Python(), port, end, arguments);
    std::filesystem::permissions(folder_ / "start", std::filesystem::perms::owner_all);
  }
  void Start() { CHECK(Shell(command()) == 0, "TVM's server did not start: " + Log()); }

  std::filesystem::path folder_;
  Address address_;
};

}  // namespace mutatenn
