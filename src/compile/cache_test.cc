#include "compile/cache.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"

namespace mutatenn {
namespace {

namespace fs = std::filesystem;

class CacheTest : public testing::Test {
 protected:
  CacheTest() {
    std::string pattern = (fs::temp_directory_path() / "mutatenn-cache-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    EXPECT_TRUE(WriteFile(folder_ / "made.so", "machine code").ok());
  }
  ~CacheTest() override { fs::remove_all(folder_); }
  std::string Library(const char* name) { return (folder_ / name).string(); }

  fs::path folder_;
  const std::string key_ = "ab0123";
};

TEST_F(CacheTest, GivesBackWhatWasPut) {
  Cache cache((folder_ / "cache").string());
  EXPECT_FALSE(cache.Get(key_, Library("got.so")));
  cache.Put(key_, {"ok", "", "c0de"}, Library("made.so"));
  auto hit = cache.Get(key_, Library("got.so"));
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->code, "c0de");
  EXPECT_EQ(ReadFile(Library("got.so")).value(), "machine code");
  EXPECT_FALSE(cache.Get("cd4567", Library("other.so")));
}

TEST_F(CacheTest, ACorruptEntryIsNone) {
  Cache cache((folder_ / "cache").string());
  cache.Put(key_, {"ok", "", "c0de"}, Library("made.so"));
  ASSERT_TRUE(WriteFile(folder_ / "cache/ab/ab0123.so", "machine cod3").ok());
  EXPECT_FALSE(cache.Get(key_, Library("got.so")));
  cache.Put(key_, {"ok", "", "c0de"}, Library("made.so"));
  EXPECT_TRUE(cache.Get(key_, Library("got.so")));
  ASSERT_TRUE(WriteFile(folder_ / "cache/ab/ab0123.json", "{").ok());
  EXPECT_FALSE(cache.Get(key_, Library("got.so")));
}

TEST_F(CacheTest, RemembersWhatDidNotCompile) {
  Cache cache((folder_ / "cache").string());
  cache.Put(key_, {"stillborn", "mismatched types", ""}, Library("none.so"));
  auto hit = cache.Get(key_, Library("got.so"));
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->state, "stillborn");
  EXPECT_EQ(hit->reason, "mismatched types");
}

TEST_F(CacheTest, RemembersWhichInputIsPacked) {
  Cache cache((folder_ / "cache").string());
  const Packing packing = {2, {{64, 3, 7, 7}, "float32"}, 0, 32};
  cache.Put(key_, {"ok", "", "c0de", "", packing}, Library("made.so"));
  cache.Put("cd4567", {"ok", "", "c0de"}, Library("made.so"));
  EXPECT_EQ(cache.Get(key_, Library("got.so"))->packing, packing);
  EXPECT_EQ(cache.Get("cd4567", Library("other.so"))->packing, std::nullopt);
  const fs::path entry = folder_ / "cache/ab/ab0123.json";
  std::string text = ReadFile(entry).value();
  text.replace(text.find("\"block\":32"), 10, "\"block\":{}");
  ASSERT_TRUE(WriteFile(entry, text).ok());
  EXPECT_FALSE(cache.Get(key_, Library("got.so")));
}

TEST_F(CacheTest, NoFolderNoCache) {
  Cache cache("");
  cache.Put(key_, {}, Library("made.so"));
  EXPECT_FALSE(cache.Get(key_, Library("got.so")));
}

}  // namespace
}  // namespace mutatenn
