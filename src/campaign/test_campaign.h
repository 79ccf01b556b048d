// A folder with a model, images and a configuration, campaigns over fakes in it, and the contents
// of their stores as text.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "campaign/campaign.h"
#include "campaign/test_fakes.h"

namespace mutatenn {

// An 8x8 BMP of one colour.
inline void WriteBitmap(const std::filesystem::path& path, unsigned char level) {
  std::string bytes(54 + 8 * 24, static_cast<char>(level));
  auto number = [&](size_t at, uint32_t value, int size) {
    for (int i = 0; i < size; ++i)
      bytes[at + static_cast<size_t>(i)] = static_cast<char>(value >> (8 * i));
  };
  bytes.replace(0, 54, std::string(54, '\0'));
  bytes[0] = 'B', bytes[1] = 'M';
  number(2, static_cast<uint32_t>(bytes.size()), 4);
  number(10, 54, 4), number(14, 40, 4), number(18, 8, 4), number(22, 8, 4), number(26, 1, 2),
      number(28, 24, 2);
  std::ofstream(path, std::ios::binary) << bytes;
}

class CampaignTest : public testing::Test {
 protected:
  using World = fakes::World;
  void SetUp() override {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("campaign_test." + std::to_string(::getpid()) + "." + name);
    std::filesystem::create_directories(folder_ / "images");
    std::ofstream(folder_ / "net.onnx") << "network";
    for (int i = 0; i < 5; ++i) AddImage(i);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void AddImage(int i) {
    WriteBitmap(folder_ / "images" / ("i" + std::to_string(i) + ".bmp"),
                static_cast<unsigned char>(10 * i + 1));
  }
  static Json Basic() {
    return {{"models", Json::array({{{"name", "net"},
                                     {"path", "net.onnx"},
                                     {"preprocessing", {{"resize_short_side", 0}, {"crop", 8}}}}})},
            {"images", {{"path", "images"}}},
            {"devices",
             Json::array({{{"name", "a"}, {"target", {{"kind", "llvm"}}}},
                          {{"name", "b"}, {"target", {{"kind", "llvm"}, {"mcpu", "host"}}}}})},
            {"operators", Json::array({{{"id", "x"}}, {{"id", "y"}}})},
            {"jobs", 2}};
  }
  Config Parsed(const Json& json) {
    OperatorCatalog catalog{
        {"x", "y", "z"},
        [](const std::string&, const Json& given) -> Result<Json> { return given; }};
    Result<Config> config = ParseConfig(json.dump(), (folder_ / "c.json").string(), catalog);
    EXPECT_TRUE(config.ok()) << config.error().message;
    return *config;
  }
  std::string Out(const std::string& name) { return (folder_ / name).string(); }

  Result<CampaignOutcome> Run(World& world, const Json& json, const std::string& out,
                              CampaignOptions options = {}) {
    Progress progress({.verbosity = Verbosity::kNormal,
                       .write = [this](const std::string& text) { said_ += text; }});
    options.out = Out(out);
    return RunCampaign(Parsed(json), options, fakes::Parts(world), progress);
  }
  void RunWell(World& world, const Json& json, const std::string& out,
               CampaignOptions options = {}) {
    Result<CampaignOutcome> outcome = Run(world, json, out, options);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    EXPECT_FALSE(outcome->interrupted);
    EXPECT_EQ(outcome->left_pending, 0) << outcome->pending_reason;
  }

  // All that reports are made of, as text.
  std::string Contents(const std::string& out) {
    auto store = Store::OpenReadOnly(StorePath(Out(out)));
    EXPECT_TRUE(store.ok()) << store.error().message;
    Store& s = **store;
    std::string text = *fakes::Must(s.Meta("campaign")) + *fakes::Must(s.Meta("matrix")) + "\n";
    for (const auto& i : fakes::Must(s.Images("net")))
      text += "image " + i.name + i.hash + std::to_string(i.position) + i.input_file + "\n";
    for (const auto& d : fakes::Must(s.Devices()))
      text += "device " + d.name + d.target_json + std::to_string(d.target_index) + d.cpu + "\n";
    for (const auto& m : fakes::Must(s.Mutants("net")))
      text += "mutant " + m.id + m.place + std::to_string(m.selected) + "\n";
    for (const auto& u : fakes::Must(s.OperatorUses())) {
      text += "use " + u.op_key + std::to_string(u.points) + "," + std::to_string(u.mutants) + "," +
              std::to_string(u.selected) + "\n";
    }
    for (const auto& b : fakes::Must(s.Builds("net")))
      text += "build " + b.mutant + std::to_string(b.target_index) + b.state + "\n";
    for (const auto& o : fakes::Must(s.Originals("net")))
      text += "original " + o.device + o.image + o.top_json + "\n";
    for (const auto& d : fakes::Must(s.Devices())) {
      for (const auto& f : fakes::Must(s.Fates("net", d.name))) {
        text += "fate " + f.mutant + f.device + f.image + f.ending + f.top_json + f.detail + "\n";
      }
    }
    return text;
  }
  size_t Count(const std::string& text, const std::string& word) {
    size_t count = 0;
    for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  // A campaign where nothing goes wrong.
  std::string Reference(const Json& json) {
    World world;
    RunWell(world, json, "reference");
    return Contents("reference");
  }
  // An id of a mutant that is run on both devices.
  std::string SomeRunMutant(const std::string& out, size_t which = 0) {
    auto store = Store::OpenReadOnly(StorePath(Out(out)));
    std::vector<std::string> ids;
    for (const auto& m : fakes::Must((*store)->Mutants("net"))) {
      auto build = fakes::Must((*store)->Build("net", m.id, 0));
      if (build && build->state == "ok") ids.push_back(m.id);
    }
    return ids.at(which);
  }

  std::filesystem::path folder_;
  std::string said_;
};

}  // namespace mutatenn
