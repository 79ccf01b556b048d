// A campaign on TVM's own RPC servers gives the report of a local one, crashed mutants included.
#include <gtest/gtest.h>

#include "device/tvm_server_testing.h"
#include "support/run.h"

namespace mutatenn {
namespace {

// Every load of a block reads from far beyond its buffer.
constexpr const char* kFarLoad = R"py(from mutatenn.operators import blocks, map_block
from tvm import tirx

LEVEL = "code"


def points(mod):
    return list(blocks(mod))


def apply(mod, point):
    def far(node):
        if type(node).__name__ not in ("BufferLoad", "TensorLoad"):
            return node
        return tirx.BufferLoad(node.source, [*node.indices[:-1], node.indices[-1] + (1 << 36)])
    return map_block(mod, point, far)
)py";

Json Campaign(const Json& session) {
  return {
      {"devices", Json::array({{{"name", "board"},
                                {"target", {{"kind", "llvm"}, {"mcpu", "x86-64"}}},
                                {"session", session}}})},
      {"operators", {{{"id", "python"}, {"file", "far_load.py"}}, "code.relation", "code.min_max"}},
      {"max_mutants", 30}};
}

TEST(TvmServerCampaign, GivesTheReportOfALocalOne) {
  if (!TestTracker::Possible()) GTEST_SKIP() << "TVM's server needs tornado, psutil, cloudpickle";
  Scratch scratch;
  ASSERT_TRUE(WriteFile(scratch.path / "far_load.py", kFarLoad).ok());
  Json local =
      RunAndReport(MakeTinyCampaign(scratch.path, Campaign({{"kind", "local"}})), scratch / "a");
  int crashed = 0;
  for (const Json& mutant : local["models"][0]["mutants"])
    crashed += mutant["devices"]["board"]["verdict"] == "crashed";
  EXPECT_GT(crashed, 0);

  TestTvmServer server;
  Json direct = RunAndReport(
      MakeTinyCampaign(scratch.path, Campaign({{"kind", "remote"},
                                               {"server", "tvm"},
                                               {"servers", {server.address().Text()}}})),
      scratch / "b");
  EXPECT_TRUE(direct["models"] == local["models"]);  // too long to print

  TestTracker tracker;
  TestTvmServer registered("--key board --tracker " + tracker.text());
  tracker.Await("board", 1);
  Json tracked = RunAndReport(MakeTinyCampaign(scratch.path, Campaign({{"kind", "tracker"},
                                                                       {"server", "tvm"},
                                                                       {"tracker", tracker.text()},
                                                                       {"key", "board"}})),
                              scratch / "c");
  EXPECT_TRUE(tracked["models"] == local["models"]);
}

TEST(TvmServerCampaign, RefusesKeysOfTheOtherServer) {
  Scratch scratch;
  const Json servers = {"tcp://127.0.0.1:1"};
  ASSERT_TRUE(WriteFile(scratch.path / "far_load.py", kFarLoad).ok());
  auto error = [&](const Json& session) {
    return Mutatenn({"devices", MakeTinyCampaign(scratch.path, Campaign(session))}).err;
  };
  EXPECT_NE(error({{"kind", "remote"}, {"servers", servers}, {"key", "hikey"}})
                .find("key: is for servers of kind 'tvm' only"),
            std::string::npos);
  EXPECT_NE(
      error(
          {{"kind", "remote"}, {"servers", servers}, {"server", "tvm"}, {"secret_file", "secret"}})
          .find("secret_file: is for servers of kind 'mutatenn' only"),
      std::string::npos);
}

}  // namespace
}  // namespace mutatenn
