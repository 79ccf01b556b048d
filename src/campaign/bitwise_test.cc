// Groups of scripted devices: the same bits, another step, another mutant.
#include "campaign/bitwise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "campaign/test_store.h"

namespace mutatenn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Steps b, then a, then the output of each image; those in `changed` have other bits.
class Hashing : public fakes::FakeSession {
 public:
  Hashing(fakes::World& world, std::set<std::string> changed, bool steps = true)
      : FakeSession(world, "d"), changed_(std::move(changed)), steps_(steps) {}
  Result<std::vector<ImageHashes>> Hashes(const std::vector<std::string>& images) override {
    if (!steps_) return Session::Hashes(images);
    std::vector<ImageHashes> all;
    for (const std::string& image : images)
      all.push_back({image, {{"b", Of("b", image)}, {"a", Of("a", image)}}});
    return all;
  }
  Result<std::vector<std::vector<float>>> Outputs(const std::string& image) override {
    return std::vector<std::vector<float>>{{changed_.count(image) ? 1.5f : 1.0f}};
  }

 private:
  std::string Of(const std::string& step, const std::string& image) const {
    return step + image + (changed_.count(step + "@" + image) ? "other" : "");
  }
  std::set<std::string> changed_;
  bool steps_;
};

class Bitwise : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    Add("first", {});
  }
  void Add(const std::string& device, std::set<std::string> changed, bool steps = true) {
    DeviceConfig entry;
    entry.name = device;
    entry.bitwise = "g";
    config_.devices.push_back(entry);
    Hashing session(world_, std::move(changed), steps);
    fakes::Must(StoreHashes(*store_, "m", device, fakes::Must(HashOriginal(session, {"x", "y"}))));
  }
  void PutFate(const std::string& device, double difference, double seconds) {
    StoredFate fate{"m", "mutant", device, "x", "ok", "[[1,2.0]]", true, 1, "b"};
    fate.max_abs_diff = difference;
    fate.seconds = seconds;
    fakes::Must(store_->PutFates({fate}, std::nullopt));
  }
  std::vector<std::string> Findings() {
    return fakes::Must(BitwiseFindings(*store_, config_, "m"));
  }

  Config config_;
  fakes::World world_;
};

TEST_F(Bitwise, TheSameBitsAreNoFinding) {
  Add("second", {});
  PutFate("first", 0.25, 1);
  PutFate("second", 0.25, 2);
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(Bitwise, TheFirstStepInTheProgramIsNamed) {
  Add("second", {"a@x", "b@y", "x"});
  EXPECT_THAT(Findings(), ElementsAre("bitwise group 'g': second is not first: the originals of m "
                                      "differ on 2 of 2 images, first in step 'b'"));
}

TEST_F(Bitwise, ADeviceWithoutStepsIsComparedByItsOutputs) {
  Add("gpu", {}, false);
  EXPECT_THAT(Findings(), IsEmpty());
  Add("other gpu", {"y"}, false);
  EXPECT_THAT(Findings(), ElementsAre(HasSubstr("1 of 2 images, first in the network's outputs")));
}

TEST_F(Bitwise, MutantsAreComparedByAllThatIsStored) {
  Add("second", {});
  PutFate("first", 0.25, 1);
  PutFate("second", 0.26, 1);
  EXPECT_THAT(Findings(), ElementsAre("bitwise group 'g': second is not first: 1 of 1 mutants of m "
                                      "differ: mutant on x, first in step 'b'"));
}

TEST_F(Bitwise, OtherGroupsAreNotCompared) {
  Add("second", {"a@x"});
  config_.devices.back().bitwise = "h";
  EXPECT_THAT(Findings(), IsEmpty());
}

}  // namespace
}  // namespace mutatenn
