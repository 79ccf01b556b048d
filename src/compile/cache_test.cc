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
    made_ = (folder_ / "made").string();
    got_ = (folder_ / "got").string();
    EXPECT_TRUE(MakeDirectories(folder_ / "got").ok());
    EXPECT_TRUE(MakeDirectories(folder_ / "made").ok());
    EXPECT_TRUE(WriteFile(folder_ / "made/c0ffee.so", "machine code").ok());
  }
  ~CacheTest() override { fs::remove_all(folder_); }
  // A kernel in the library that lies in made_.
  static CachedLibrary Made(const std::string& symbol = "kernel") {
    return {"ok", "", "c0de", "", std::nullopt, "c0ffee.so", symbol};
  }

  fs::path folder_;
  const std::string key_ = "ab0123";
  std::string made_, got_;  // folders of libraries: what a campaign made, what the cache gave
};

TEST_F(CacheTest, GivesBackWhatWasPut) {
  Cache cache((folder_ / "cache").string());
  EXPECT_FALSE(cache.Get(key_, got_));
  cache.Put(key_, Made(), made_);
  auto hit = cache.Get(key_, got_);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->code, "c0de");
  EXPECT_EQ(ReadFile(got_ + "/c0ffee.so").value(), "machine code");
  EXPECT_FALSE(cache.Get("cd4567", got_));
}

TEST_F(CacheTest, ACorruptEntryIsNone) {
  Cache cache((folder_ / "cache").string());
  cache.Put(key_, Made(), made_);
  ASSERT_TRUE(WriteFile(folder_ / "cache/c0/c0ffee.so", "machine cod3").ok());
  EXPECT_FALSE(cache.Get(key_, got_));
  cache.Put(key_, Made(), made_);
  EXPECT_TRUE(cache.Get(key_, got_));
  ASSERT_TRUE(WriteFile(folder_ / "cache/ab/ab0123.json", "{").ok());
  EXPECT_FALSE(cache.Get(key_, got_));
}

TEST_F(CacheTest, RemembersWhatDidNotCompile) {
  Cache cache((folder_ / "cache").string());
  cache.Put(key_, {"stillborn", "mismatched types", ""}, made_);
  auto hit = cache.Get(key_, got_);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->state, "stillborn");
  EXPECT_EQ(hit->reason, "mismatched types");
}

TEST_F(CacheTest, RemembersWhichInputIsPacked) {
  Cache cache((folder_ / "cache").string());
  const Packing packing = {2, {{64, 3, 7, 7}, "float32"}, 0, 32};
  CachedLibrary packed = Made();
  packed.packing = packing;
  cache.Put(key_, packed, made_);
  cache.Put("cd4567", Made(), made_);
  EXPECT_EQ(cache.Get(key_, got_)->packing, packing);
  EXPECT_EQ(cache.Get("cd4567", got_)->packing, std::nullopt);
  const fs::path entry = folder_ / "cache/ab/ab0123.json";
  std::string text = ReadFile(entry).value();
  text.replace(text.find("\"block\":32"), 10, "\"block\":{}");
  ASSERT_TRUE(WriteFile(entry, text).ok());
  EXPECT_FALSE(cache.Get(key_, got_));
}

TEST_F(CacheTest, KernelsShareALibrary) {
  Cache cache((folder_ / "cache").string());
  cache.Put(key_, Made("kernel0"), made_);
  cache.Put("cd4567", Made("kernel1"), made_);
  EXPECT_EQ(cache.Get(key_, got_)->symbol, "kernel0");
  EXPECT_EQ(cache.Get("cd4567", got_)->symbol, "kernel1");
  EXPECT_EQ(cache.Get("cd4567", got_)->library, "c0ffee.so");
}

TEST_F(CacheTest, NoFolderNoCache) {
  Cache cache("");
  cache.Put(key_, {}, made_);
  EXPECT_FALSE(cache.Get(key_, got_));
}

}  // namespace
}  // namespace mutatenn
