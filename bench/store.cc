// Writes a campaign's store without running anything, as large as asked for, for measuring the
// analysis: bench-store FOLDER MUTANTS IMAGES DEVICES. A full matrix; labels, margins and
// differences are drawn from a fixed sequence, so that every run writes the same.
#include <cstdio>
#include <cstdlib>
#include <random>

#include <fmt/format.h>

#include "base/hash.h"
#include "judge/top_json.h"
#include "store/store.h"

namespace mutatenn {
namespace {

constexpr int kOperators = 24, kLayers = 120, kClasses = 1000, kTopK = 5;

struct Size {
  int mutants = 0, images = 0, devices = 0;
};

std::string Name(const char* what, int number) { return fmt::format("{}{:04}", what, number); }

// Five labels near `label`, best first, as a network would give them.
std::string Top(std::mt19937_64& random, int label, double best) {
  std::vector<Ranked> top;
  for (int place = 0; place < kTopK; ++place) {
    top.push_back({(label + place * 37) % kClasses, static_cast<float>(best)});
    best -= 0.01 + static_cast<double>(random() % 1000) / 500;
  }
  return DumpJson(TopToJson(top));
}

std::string Diff(int mutant, const std::string& kernel) {
  int line = 10 + mutant % 60;
  return fmt::format(
      "--- kernel conv2d_{0} {0}\n+++ mutant\n@@ -{1},7 +{1},7 @@\n"
      "     for i0, i1 in T.grid(T.int64(1), T.int64(32)):\n"
      "         with T.sblock(\"pad_temp\"):\n             v_i0 = T.axis.spatial(T.int64(1), i0)\n"
      "-            pad_temp[v_i0] = T.if_then_else(v_i0 < T.int64({2}), x[v_i0], T.float32(0.0))\n"
      "+            pad_temp[v_i0] = T.if_then_else(v_i0 <= T.int64({2}), x[v_i0], "
      "T.float32(0.0))\n"
      "     for ax0 in T.unroll(T.int64(1)):\n         T.reads(x[v_i0])\n"
      "         T.writes(pad_temp[v_i0])\n",
      kernel, line, mutant);
}

Status Plan(Store& store, const Size& size) {
  TRY(store.SetMeta("campaign", HashBytes("bench")));
  for (auto [key, value] : {std::pair("matrix", "full"),
                            {"kill", "top1"},
                            {"top_k", "5"},
                            {"seed", "1"},
                            {"level", "3"},
                            {"tool_version", "bench"}})
    TRY(store.SetMeta(key, value));
  TRY(store.PutModels({{"Generated", "generated.onnx", "h", "g", "[]"}}));
  std::vector<StoredImage> images;
  for (int i = 0; i < size.images; ++i)
    images.push_back({"Generated", Name("image", i) + ".jpg", "p", "h", i * 7 % kClasses, i, "f"});
  TRY(store.PutImages(images));
  std::vector<StoredDevice> devices;
  for (int d = 0; d < size.devices; ++d)
    devices.push_back({Name("device", d), "{\"kind\":\"llvm\"}", "llvm", "{}", d, "cpu", "0.27"});
  TRY(store.PutDevices(devices));
  std::vector<StoredOperatorUse> uses;
  for (int o = 0; o < kOperators; ++o) {
    int mutants = size.mutants / kOperators + (o < size.mutants % kOperators);
    uses.push_back({"Generated", Name("code.op", o) + "{}", Name("code.op", o),
                    Name("category", o % 6), mutants, mutants, mutants});
  }
  TRY(store.PutOperatorUses(uses));
  std::vector<StoredMutant> mutants;
  std::vector<StoredBuild> builds;
  for (int m = 0; m < size.mutants; ++m) {
    std::string id = HashBytes(Name("m", m)), op = Name("code.op", m % kOperators);
    std::string kernel = HashBytes(Name("k", m % 53)), layer = Name("block.conv", m % kLayers);
    mutants.push_back(
        {"Generated", id, op, op + "{}", Name("category", m % kOperators % 6), "code",
         op + " {} " + layer,
         fmt::format(
             R"([{{"level":"code","layers":["{}"],"kernel":"{}","role":"conv2d_multiply_add",)"
             R"("block":"pad_temp","match":0,"index":{},"variant":0,"step":"{}"}}])",
             layer, kernel, m, layer),
         "{\"id\":\"" + op + "\",\"parameters\":{}}", true});
    for (int d = 0; d < size.devices; ++d)
      builds.push_back({"Generated", id, d, m % 50 == 0 ? "equivalent" : "ok", "", "{}",
                        Diff(m, kernel), "tir", 0.1});
  }
  TRY(store.PutMutants(mutants));
  return store.PutBuilds(builds);
}

Status Fates(Store& store, const Size& size) {
  std::mt19937_64 random(1);
  std::vector<StoredOriginal> originals;
  std::vector<std::string> tops;
  for (int i = 0; i < size.images; ++i) {
    tops.push_back(Top(random, i * 7 % kClasses, 9 + i / 100.0));
    for (int d = 0; d < size.devices; ++d)
      originals.push_back(
          {"Generated", Name("device", d), Name("image", i) + ".jpg", tops.back(), 0.02});
  }
  TRY(store.PutOriginals(originals));
  for (int m = 0; m < size.mutants; ++m) {
    if (m % 50 == 0) continue;
    std::string id = HashBytes(Name("m", m));
    uint64_t strength = random() % 3 == 0 ? 0 : random() % 101;  // of 100 images it kills so many
    for (int d = 0; d < size.devices; ++d) {
      std::vector<StoredFate> fates;
      bool crashes = m % 101 == 7;
      for (int i = 0; i < size.images && !(crashes && i > 0); ++i) {
        StoredFate fate{"Generated", id, Name("device", d), Name("image", i) + ".jpg", "ok"};
        bool killed = random() % 100 < strength || (d == 1 && random() % 997 == 0);
        fate.top_json = killed ? Top(random, static_cast<int>(random() % kClasses), 8)
                               : tops[static_cast<size_t>(i)];
        fate.infected = true;
        fate.dirty_steps = 20;
        fate.first_step = fate.first_layer = Name("block.conv", m % kLayers);
        fate.max_abs_diff = static_cast<double>(random() % 1000000) / 1e6;
        fate.seconds = 0.01 + static_cast<double>(random() % 1000) / 1e5;
        if (crashes) {
          fate.ending = "crashed";
          fate.top_json = "[]";
          fate.detail = "SIGSEGV in step " + fate.first_step;
        }
        fates.push_back(std::move(fate));
      }
      std::optional<StoredOutOfBounds> outside;
      if (crashes) outside = {"Generated", id, Name("device", d), "step", "input 0", -64};
      TRY(store.PutFates(fates, outside));
    }
  }
  return Ok();
}

Status Write(const std::string& folder, const Size& size) {
  std::unique_ptr<Store> store = TRY(Store::Open(StorePath(folder)));
  TRY(Plan(*store, size));
  return Fates(*store, size);
}

}  // namespace
}  // namespace mutatenn

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: bench-store FOLDER MUTANTS IMAGES DEVICES\n");
    return 2;
  }
  mutatenn::Status status =
      mutatenn::Write(argv[1], {std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4])});
  if (!status.ok()) std::fprintf(stderr, "bench-store: %s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
