// For tests: a small campaign written by hand. One model "Net", four images in the order c, a, d, b
// (truth 1 for c, 2 for a, 3 for d; b's is not known), two devices of different targets; the
// original says 1, 2, 9, 4 on both, but 5 instead of 4 for b on "host". Mutants (device base /
// host):
//   k1  killed on a (2 -> 7)      / killed on c (1 -> 8)
//   s1  survived                  / survived
//   x1  crashed on c              / crashed on c
//   t1  timeout on d              / survived
//   e1  equivalent                / stillborn
//   p1  two images run, pending   / not built, pending
//   u1  not selected
// The original ran three times on every image, with equal labels; on "host" the outputs of two runs
// differ by up to 0.25.
// With FullMatrix every image of k1 and t1 has run: k1 differs on two images on base.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/store.h"

namespace mutatenn {

struct TemporaryFolder {
  TemporaryFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "mutatenn-test-XXXXXX").string();
    path = ::mkdtemp(pattern.data()) ? pattern : "";
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  std::string path;
};

class SyntheticCampaign {
 public:
  enum class Matrix { kEarly, kFull };

  explicit SyntheticCampaign(Matrix matrix) : full_(matrix == Matrix::kFull) {
    store_ = Store::Open(StorePath(folder_.path)).value();
    Plan();
    Originals();
    Fates();
  }
  Store& store() { return *store_; }
  const std::string& folder() const { return folder_.path; }

  static std::string Top(int label) {
    return "[[" + std::to_string(label) + ",2.5],[" + std::to_string(label + 100) + ",1.5]]";
  }

 private:
  void Must(const Status& status) {
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
  }

  void Plan() {
    std::vector<std::pair<std::string, std::string>> meta = {
        {"campaign_id", "c0ffee"},
        {"tool_version", "0.1.0"},
        {"tvm_version", "0.26.0"},
        {"config_hash", "abc"},
        {"rules_version", "1"},
        {"matrix", full_ ? "full" : "early"},
        {"kill", "top1"},
        {"top_k", "2"},
        {"seed", "1"},
        {"level", "3"},
        {"config",
         R"({"devices": [{"name": "base"}, {"name": "host"}], "models": [{"name": "Net"}]})"}};
    for (const auto& [key, value] : meta) Must(store_->SetMeta(key, value));
    Must(store_->PutModels({{"Net", "net.onnx", "h", "g", "[]"}}));
    Must(store_->PutImages({{"Net", "a.jpg", "p/a.jpg", "h", 2, 1, "i/a"},
                            {"Net", "b.jpg", "p/b.jpg", "h", -1, 3, "i/b"},
                            {"Net", "c.jpg", "p/c.jpg", "h", 1, 0, "i/c"},
                            {"Net", "d.jpg", "p/d.jpg", "h", 3, 2, "i/d"}}));
    // Written in another order than the configuration's.
    Must(store_->PutDevices(
        {{"host", R"({"kind":"llvm","mcpu":"host"})", "llvm -mcpu=z", "{}", 1, "Z", "0.26.0"},
         {"base", R"({"kind":"llvm"})", "llvm", "{}", 0, "Z", "0.26.0"}}));
    std::vector<StoredMutant> mutants;
    int index = 0;
    for (const char* id : {"k1", "s1", "x1", "t1", "e1", "p1", "u1"}) {
      std::string op = index < 3 ? "code.lt_to_le" : "graph.arithmetic";
      std::string point = R"([{"level":"code","layers":["conv)" + std::to_string(index) +
                          R"("],"kernel":"K","role":"conv2d","block":"B","match":0,"index":)" +
                          std::to_string(index) + R"(,"variant":0}])";
      mutants.push_back({"Net", id, op, op + "{}", index < 3 ? "CSO" : "AN", "code", "place", point,
                         R"({"id":")" + op + R"(","parameters":{"value":0.5}})",
                         std::string(id) != "u1"});
      ++index;
    }
    Must(store_->PutMutants({mutants.rbegin(), mutants.rend()}));
    Must(store_->PutOperatorUses({{"Net", "graph.arithmetic{}", "graph.arithmetic", "AN", 5, 4, 3},
                                  {"Net", "code.lt_to_le{}", "code.lt_to_le", "CSO", 3, 3, 3}}));
    std::vector<StoredBuild> builds;
    for (int target : {0, 1}) {
      for (const char* id : {"k1", "s1", "x1", "t1"}) builds.push_back({"Net", id, target, "ok"});
    }
    builds.push_back({"Net", "p1", 0, "ok"});
    builds.push_back({"Net", "e1", 0, "equivalent", "same machine code"});
    builds.push_back({"Net", "e1", 1, "stillborn", "cannot lower"});
    Must(store_->PutBuilds(builds));
  }

  void Originals() {
    std::vector<StoredOriginal> rows;
    for (const char* device : {"base", "host"}) {
      rows.push_back({"Net", device, "a.jpg", Top(2), 0.010});
      rows.push_back({"Net", device, "b.jpg", Top(std::string(device) == "base" ? 4 : 5), 0.011});
      rows.push_back({"Net", device, "c.jpg", Top(1), 0.012});
      rows.push_back({"Net", device, "d.jpg", Top(9), 0.013});
    }
    Must(store_->PutOriginals(rows));
    std::vector<StoredRepeat> repeats;
    std::vector<StoredReferenceOutput> reference;
    for (const StoredOriginal& row : rows) {
      const std::string label = row.top_json.substr(2, 1);
      repeats.push_back({"Net", row.device, row.image, 3,
                         "[" + label + "," + label + "," + label + "]",
                         row.device == "host" ? "[0.25]" : "[0.0]", 0, true});
      if (row.device == "base") reference.push_back({"Net", row.image, 0, "0000803f"});
    }
    Must(store_->PutRepeats(repeats));
    Must(store_->PutReferenceOutputs(reference));
  }

  StoredFate Ran(const std::string& mutant, const std::string& device, const std::string& image,
                 int label, const std::string& layer = "") {
    StoredFate fate{"Net", mutant, device, image, "ok", Top(label)};
    fate.infected = !layer.empty();
    fate.first_layer = layer;
    fate.seconds = 0.02;
    return fate;
  }
  StoredFate Died(const std::string& mutant, const std::string& device, const std::string& image,
                  const std::string& ending, const std::string& detail) {
    StoredFate fate{"Net", mutant, device, image, ending, "[]"};
    fate.infected = true;
    fate.first_layer = "conv9";
    fate.seconds = 0.03;
    fate.detail = detail;
    return fate;
  }

  void Fates() {
    auto put = [&](const std::vector<StoredFate>& fates) {
      Must(store_->PutFates(fates, std::nullopt));
    };
    put({Ran("k1", "base", "c.jpg", 1, "conv1"), Ran("k1", "base", "a.jpg", 7, "conv2")});
    put({Ran("k1", "host", "c.jpg", 8, "conv1")});
    if (full_) {
      put({Ran("k1", "base", "d.jpg", 3, "conv1"), Ran("k1", "base", "b.jpg", 4)});
      put({Ran("k1", "host", "a.jpg", 2), Ran("k1", "host", "d.jpg", 9),
           Ran("k1", "host", "b.jpg", 5)});
    }
    put({Ran("s1", "base", "a.jpg", 2), Ran("s1", "base", "b.jpg", 4),
         Ran("s1", "base", "c.jpg", 1), Ran("s1", "base", "d.jpg", 9)});
    put({Ran("s1", "host", "a.jpg", 2), Ran("s1", "host", "b.jpg", 5),
         Ran("s1", "host", "c.jpg", 1), Ran("s1", "host", "d.jpg", 9)});
    for (const char* device : {"base", "host"}) {
      Must(store_->PutFates({Died("x1", device, "c.jpg", "crashed", "SIGSEGV in step conv3")},
                            StoredOutOfBounds{"Net", "x1", device, "conv3", "input 0", -64}));
    }
    StoredFate nonfinite = Ran("t1", "base", "c.jpg", 1, "conv4");
    nonfinite.nonfinite = true;
    put({nonfinite, Ran("t1", "base", "a.jpg", 2),
         Died("t1", "base", "d.jpg", "timeout", "timeout in step conv4")});
    if (full_) put({Ran("t1", "base", "b.jpg", 4)});
    put({Ran("t1", "host", "a.jpg", 2), Ran("t1", "host", "b.jpg", 5),
         Ran("t1", "host", "c.jpg", 1), Ran("t1", "host", "d.jpg", 9)});
    put({Ran("p1", "base", "c.jpg", 1), Ran("p1", "base", "a.jpg", 2)});
  }

  bool full_;
  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace mutatenn
