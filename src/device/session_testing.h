// For tests of sessions: a local worker, results by name, and comparison of all but times.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device/session.h"
#include "device/small_program.h"

namespace mutatenn {

inline std::string WorkerPath(const std::string& name = "mutatenn-worker") {
  const char* folder = std::getenv("MUTATENN_BIN_DIR");
  CHECK(folder != nullptr, "MUTATENN_BIN_DIR is not set; run the tests by ctest");
  return std::string(folder) + "/" + name;
}

inline std::unique_ptr<Session> OpenLocal() {
  auto session = OpenLocalSession({.worker = WorkerPath()});
  CHECK(session.ok(), session.ok() ? "" : session.error().message);
  return std::move(session).value();
}

template <class T>
T Good(Result<T> result) {
  CHECK(result.ok(), result.ok() ? "" : result.error().message);
  return std::move(result).value();
}

using Finished = std::map<std::string, MutantDone>;

inline Finished CollectAll(Session& session, size_t count) {
  Finished finished;
  while (finished.size() < count)
    for (MutantDone& done : Good(session.Collect(30))) {
      EXPECT_FALSE(finished.contains(done.mutant)) << done.mutant << " came twice";
      finished[done.mutant] = done;
    }
  return finished;
}

// A fresh worker, the whole way.
inline Finished RunAll(const LoadRequest& request, const std::vector<ImageInput>& images,
                       const std::vector<MutantJob>& jobs) {
  std::unique_ptr<Session> session = OpenLocal();
  Good(session->Load(request));
  Good(session->SetImages(images));
  Good(session->Submit(jobs));
  return CollectAll(*session, jobs.size());
}

// All of a result but its times and what an emulator says of a signal.
inline std::string Lasting(const MutantDone& done) {
  Json json = ToJson(done);
  for (Json& fate : json["fates"]) {
    fate.erase("seconds");
    const std::string detail = fate.value("detail", "");
    fate["detail"] = detail.substr(0, detail.find("; it printed: qemu:"));
  }
  return DumpJson(json);
}

inline void ExpectSame(const Finished& a, const Finished& b, bool fates_only = false) {
  for (const auto& [name, done] : a) {
    if (!b.contains(name)) continue;
    MutantDone left = done, right = b.at(name);
    if (fates_only) {
      left.out_of_bounds.reset();
      right.out_of_bounds.reset();
    }
    EXPECT_EQ(Lasting(left), Lasting(right));
  }
}

inline SmallProgram& Small() {
  static SmallProgram small;
  return small;
}

}  // namespace mutatenn
