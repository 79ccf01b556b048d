// LoadImage against Pillow and numpy, on photographs and on small images of every kind.
#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/files.h"
#include "base/json.h"
#include "model/model.h"
#include "model/test_support.h"

namespace mutatenn {
namespace {

namespace fs = std::filesystem;

Json Settings(const Preprocessing& p) {
  return {{"resize_short_side", p.resize_short_side},
          {"crop", p.crop},
          {"channels", p.channels},
          {"layout", p.layout},
          {"scale", p.scale},
          {"mean", p.mean},
          {"std", p.std}};
}

struct Difference {
  double largest = 0;       // in units of one of 255 levels
  double largest_mean = 0;  // the largest mean of an image
};

Difference CompareWithPillow(const std::vector<std::string>& images, const Preprocessing& p) {
  TemporaryFolder folder;
  std::vector<std::string> arguments = {"load", folder / "out", DumpJson(Settings(p))};
  arguments.insert(arguments.end(), images.begin(), images.end());
  Difference difference;
  std::string error = RunPython("image_oracle.py", arguments);
  EXPECT_EQ(error, "");
  if (!error.empty()) return difference;
  auto bytes = ReadFile(folder / "out");
  const float* expected = reinterpret_cast<const float*>(bytes->data());
  size_t count = bytes->size() / sizeof(float), at = 0;
  double level = p.scale / p.std[0];  // tests use one std for all channels
  for (const std::string& path : images) {
    auto tensor = LoadImage(path, p);
    EXPECT_TRUE(tensor.ok()) << tensor.error().message;
    if (!tensor.ok()) return difference;
    int64_t elements = 1;
    for (int64_t size : tensor->shape) elements *= size;
    EXPECT_EQ(elements, static_cast<int64_t>(tensor->data.size()));
    EXPECT_LE(at + tensor->data.size(), count) << path;
    if (at + tensor->data.size() > count) return difference;
    double largest = 0, sum = 0;
    for (float value : tensor->data) {
      double here = std::abs(value - expected[at++]) / level;
      largest = std::max(largest, here);
      sum += here;
    }
    EXPECT_LE(largest, 1.5) << path;
    difference.largest = std::max(difference.largest, largest);
    difference.largest_mean = std::max(difference.largest_mean, sum / tensor->data.size());
  }
  EXPECT_EQ(at, count);
  return difference;
}

class MadeImagesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasPython()) GTEST_SKIP() << "MUTATENN_PYTHON and MUTATENN_SOURCE_DIR are not set";
    ASSERT_EQ(RunPython("image_oracle.py", {"make", folder_.path().string()}), "");
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      all_.push_back(entry.path().string());
    std::sort(all_.begin(), all_.end());
    ASSERT_EQ(all_.size(), 19u);
  }

  TemporaryFolder folder_;
  std::vector<std::string> all_;
};

TEST_F(MadeImagesTest, ReducedAndEnlargedAsPillowDoes) {
  Preprocessing p;
  p.mean = {0.485, 0.456, 0.406};
  p.std = {0.25, 0.25, 0.25};
  p.resize_short_side = 37;
  p.crop = 32;
  // The same fixed-point arithmetic; one level where Pillow 13 takes the vertical pass first.
  Difference reduced = CompareWithPillow(all_, p);
  EXPECT_LE(reduced.largest, 1.01);
  EXPECT_LE(reduced.largest_mean, 0.4);
  p.resize_short_side = 150;  // larger than all
  p.crop = 129;
  Difference enlarged = CompareWithPillow(all_, p);
  EXPECT_LE(enlarged.largest, 1.01);
  EXPECT_LE(enlarged.largest_mean, 0.4);
}

TEST_F(MadeImagesTest, WithoutResizeOrCropAndInEveryOrder) {
  Preprocessing p;
  p.scale = 1;
  p.mean = {127, 126, 125};
  p.std = {128, 128, 128};
  p.resize_short_side = 0;
  p.crop = 0;
  p.channels = "BGR";
  EXPECT_LE(CompareWithPillow(all_, p).largest, 1e-3);
  p.layout = "NHWC";
  EXPECT_LE(CompareWithPillow(all_, p).largest, 1e-3);
  p.crop = 55;  // larger than some, smaller than others, odd and even differences
  EXPECT_LE(CompareWithPillow(all_, p).largest, 1e-3);
}

TEST_F(MadeImagesTest, ShapesFollowLayout) {
  Preprocessing p;
  p.resize_short_side = 0;
  p.crop = 0;
  EXPECT_EQ(LoadImage(folder_ / "rgb.png", p)->shape, (std::vector<int64_t>{1, 3, 61, 83}));
  p.layout = "NHWC";
  EXPECT_EQ(LoadImage(folder_ / "exif6.jpg", p)->shape, (std::vector<int64_t>{1, 100, 72, 3}));
}

TEST_F(MadeImagesTest, CutShortIsRefused) {
  for (const char* name : {"photo.jpg", "rgb.png", "bitmap.bmp"}) {
    std::string bytes = ReadFile(folder_ / name).value();
    for (size_t kept : {bytes.size() / 2, bytes.size() / 10, size_t{3}}) {
      ASSERT_TRUE(WriteFile(folder_ / "cut", bytes.substr(0, kept)).ok());
      auto tensor = LoadImage(folder_ / "cut", Preprocessing());
      ASSERT_FALSE(tensor.ok()) << name << " " << kept;
      EXPECT_EQ(tensor.error().code, Code::kInvalidInput);
    }
  }
}

TEST(ImageTest, SharedPhotographsAgreeWithPillow) {
  std::string shared = SharedFolder() + "/images";
  if (!HasPython() || !fs::exists(shared)) GTEST_SKIP() << shared << " is not there";
  std::vector<std::string> images;
  for (const char* folder : {"/imagenet-100", "/sample-4"}) {
    auto listed = ListImages(shared + folder, "");
    ASSERT_TRUE(listed.ok()) << listed.error().message;
    for (const ImageFile& image : *listed) images.push_back(image.path);
  }
  Difference difference = CompareWithPillow(images, Preprocessing());
  RecordProperty("largest", std::to_string(difference.largest));
  EXPECT_LE(difference.largest_mean, 0.1);  // measured: 0, with Pillow 13.0 and OpenCV 4.6
}

TEST(ImageTest, WhatIsNoImageIsRefusedByName) {
  TemporaryFolder folder;
  for (std::string content : {"", "hello", "\x89PNG\r\n\x1a\n IEND", "\xff\xd8\xff\xda \xff\xd9"}) {
    ASSERT_TRUE(WriteFile(folder / "a.jpg", content).ok());
    auto tensor = LoadImage(folder / "a.jpg", Preprocessing());
    ASSERT_FALSE(tensor.ok());
    EXPECT_EQ(tensor.error().code, Code::kInvalidInput);
    EXPECT_EQ(tensor.error().message.find(folder / "a.jpg"), 0u) << tensor.error().message;
    EXPECT_EQ(tensor.error().message.find('\n'), std::string::npos);
  }
  EXPECT_EQ(LoadImage(folder / "none.jpg", Preprocessing()).error().code, Code::kNotFound);
}

TEST(ImageTest, WrongPreprocessingIsRefused) {
  TemporaryFolder folder;
  // A 1 x 1 bitmap, blue 255.
  std::string bitmap("BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0", 30);
  bitmap.resize(54, '\0');
  bitmap += std::string("\xff\0\0\0", 4);
  ASSERT_TRUE(WriteFile(folder / "a.bmp", bitmap).ok());
  Preprocessing good;
  good.crop = good.resize_short_side = 2;
  auto tensor = LoadImage(folder / "a.bmp", good);
  ASSERT_TRUE(tensor.ok()) << tensor.error().message;
  EXPECT_EQ(tensor->data, (std::vector<float>{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1}));
  Preprocessing bad = good;
  bad.mean = {0};
  EXPECT_EQ(LoadImage(folder / "a.bmp", bad).error().code, Code::kInvalidInput);
  bad = good;
  bad.std = {1, 0, 1};
  EXPECT_EQ(LoadImage(folder / "a.bmp", bad).error().code, Code::kInvalidInput);
  bad = good;
  bad.layout = "CHW";
  EXPECT_EQ(LoadImage(folder / "a.bmp", bad).error().code, Code::kInvalidInput);
  bad = good;
  bad.channels = "GRB";
  EXPECT_EQ(LoadImage(folder / "a.bmp", bad).error().code, Code::kInvalidInput);
  bad = good;
  bad.crop = 1 << 20;
  EXPECT_EQ(LoadImage(folder / "a.bmp", bad).error().code, Code::kInvalidInput);
}

}  // namespace
}  // namespace mutatenn
