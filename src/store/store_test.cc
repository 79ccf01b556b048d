// The store against real files: what goes in comes out, whatever happens to process, disk or
// folder.
#include "store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <random>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include "store/open.h"
#include "store/schema.h"
#include "store/tables.h"

namespace mutatenn {

// Rows are equal when their columns are.
#define STORE_ROW_EQUALITY(Row)                              \
  bool operator==(const Row& a, const Row& b) {              \
    return Table<Row>::Members(a) == Table<Row>::Members(b); \
  }
STORE_ROW_EQUALITY(StoredModel)
STORE_ROW_EQUALITY(StoredImage)
STORE_ROW_EQUALITY(StoredDevice)
STORE_ROW_EQUALITY(StoredProgram)
STORE_ROW_EQUALITY(StoredPoint)
STORE_ROW_EQUALITY(StoredMutant)
STORE_ROW_EQUALITY(StoredOperatorUse)
STORE_ROW_EQUALITY(StoredBuild)
STORE_ROW_EQUALITY(StoredCode)
STORE_ROW_EQUALITY(StoredOriginal)
STORE_ROW_EQUALITY(StoredFate)
STORE_ROW_EQUALITY(StoredOutOfBounds)
STORE_ROW_EQUALITY(StoredMutantRun)

namespace {
namespace fs = std::filesystem;

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "mutatenn-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ::chmod(folder_.c_str(), 0755);  // the read-only test looks at it as another user
    path_ = StorePath(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<Store> MustOpen() {
    auto store = Store::Open(path_);
    if (!store.ok()) ADD_FAILURE() << store.error().message;
    return std::move(store).value();
  }

  // One line that names the campaign's file.
  void ExpectOneLine(const Error& error, Code code) {
    EXPECT_EQ(error.code, code) << error.message;
    EXPECT_EQ(error.message.find('\n'), std::string::npos);
    EXPECT_NE(error.message.find(path_), std::string::npos) << error.message;
  }

  std::string folder_, path_;
};

StoredFate MakeFate(const std::string& mutant, int image) {
  StoredFate fate;
  fate.model = "m";
  fate.mutant = mutant;
  fate.device = "d";
  fate.image = std::to_string(image) + ".jpg";
  fate.ending = "ok";
  fate.top_json = "[[1,0.5]]";
  return fate;
}

TEST_F(StoreTest, CountsTheTimeOfQueriesAndTransactions) {
  auto store = MustOpen();
  double before = store->busy_s();
  ASSERT_TRUE(store->SetMeta("key", "value").ok());
  double written = store->busy_s();
  EXPECT_GT(written, before);
  ASSERT_TRUE(store->Meta("key").ok());
  EXPECT_GT(store->busy_s(), written);
}

TEST_F(StoreTest, RoundTripOfEveryTable) {
  std::vector<StoredModel> models = {{"z", "z.onnx", "h1", "g1", "[]"},
                                     {"a", "a.onnx", "h2", "g2", "{}"}};
  std::vector<StoredImage> images = {{"z", "b.jpg", "p/b.jpg", "h", 281, 1, "in/b"},
                                     {"z", "a'\"\n.jpg", "p", "h", -1, 0, ""}};
  std::vector<StoredDevice> devices = {{"host", "{}", "llvm -mcpu=x", "{}", 1, "Xeon", "0.26"},
                                       {"base", "{}", "llvm", "{}", 0, "", ""}};
  std::vector<StoredProgram> programs = {{"z", 0, std::string(100000, 'p')}, {"z", 1, "{}"}};
  std::vector<StoredPoint> points = {{"z", "k", 0, "{}"}, {"z", "k", 10, "{}"}};
  std::vector<StoredMutant> mutants = {
      {"z", "2", "code.x", "k", "CSO", "code", "place", "[]", "{}", true},
      {"z", "1", "code.x", "k", "CSO", "code", "place", "[]", "{}", false}};
  std::vector<StoredOperatorUse> uses = {{"z", "k", "code.x", "CSO", 12, 11, 5}};
  std::vector<StoredBuild> builds = {{"z", "1", 0, "ok", "", "{program}", "-a\n+b\n", "tir", 0.25},
                                     {"z", "2", 0, "stillborn", "why", "", "", "tir", 1e-9}};
  std::vector<StoredOriginal> originals = {{"z", "base", "a.jpg", "[[1,0.25]]", 0.5}};
  StoredFate fate{"z",       "1",
                  "base",    "a.jpg",
                  "crashed", "[]",
                  true,      7,
                  "conv3",   "layer",
                  true,      std::numeric_limits<double>::infinity(),
                  0.125,     "SIGSEGV in step conv3"};
  StoredOutOfBounds out{"z", "1", "base", "conv3", "input 0", -64};
  std::vector<StoredMutantRun> again = {{"z", "1", "base", "a.jpg", 2, "ok", 7},
                                        {"z", "1", "base", "a.jpg", 3, "crashed", -1}};
  for (bool reopened : {false, true}) {
    auto store = MustOpen();
    if (!reopened) {
      ASSERT_TRUE(store->SetMeta("seed", "0").ok());
      ASSERT_TRUE(store->SetMeta("seed", "1").ok());
      ASSERT_TRUE(store->PutModels(models).ok());
      ASSERT_TRUE(store->PutImages(images).ok());
      ASSERT_TRUE(store->PutDevices(devices).ok());
      ASSERT_TRUE(store->PutPrograms(programs).ok());
      ASSERT_TRUE(store->PutPoints(points).ok());
      ASSERT_TRUE(store->PutMutants(mutants).ok());
      ASSERT_TRUE(store->PutOperatorUses(uses).ok());
      ASSERT_TRUE(store->PutBuilds(builds).ok());
      ASSERT_TRUE(store->PutOriginals(originals).ok());
      ASSERT_TRUE(store->PutFates({fate}, out).ok());
      ASSERT_TRUE(store->PutMutantRuns(again).ok());
      ASSERT_TRUE(store->AddEvent("start", "one").ok());
      ASSERT_TRUE(store->AddEvent("end", "two").ok());
    }
    EXPECT_EQ(store->Meta("seed").value(), "1");
    EXPECT_EQ(store->Meta("absent").value(), std::nullopt);
    EXPECT_EQ(store->Models().value(), models);
    EXPECT_EQ(store->Images("z").value(), (std::vector{images[1], images[0]}));  // by position
    EXPECT_TRUE(store->Images("a").value().empty());
    EXPECT_EQ(store->Devices().value(), devices);
    EXPECT_EQ(store->Programs().value(), programs);
    EXPECT_EQ(store->Points("z").value(), points);
    EXPECT_EQ(store->Mutants("z").value(), mutants);
    EXPECT_EQ(store->OperatorUses().value(), uses);
    EXPECT_EQ(store->Build("z", "1", 0).value(), builds[0]);
    EXPECT_EQ(store->Build("z", "1", 1).value(), std::nullopt);
    auto light = builds;
    for (auto& build : light) build.program_json = build.diff = "";
    EXPECT_EQ(store->Builds("z").value(), light);
    EXPECT_EQ(store->Originals("z").value(), originals);
    EXPECT_EQ(store->Fates("z", "base").value(), std::vector{fate});
    EXPECT_TRUE(store->Fates("z", "host").value().empty());
    EXPECT_EQ(store->FatesOf("z", "1").value(), std::vector{fate});
    EXPECT_EQ(store->OutOfBoundsOf("z").value(), std::vector{out});
    EXPECT_EQ(store->MutantRuns("z", "base").value(), again);
    EXPECT_TRUE(store->MutantRuns("z", "host").value().empty());
    EXPECT_EQ(store->Events().value(),
              (std::vector<std::pair<std::string, std::string>>{{"start", "one"}, {"end", "two"}}));
  }
}

TEST_F(StoreTest, PutReplacesByKeyAndKeepsTheOrder) {
  auto store = MustOpen();
  ASSERT_TRUE(store->PutDevices({{"b", "{}", "old", "{}", 0}, {"a", "{}", "t", "{}", 0}}).ok());
  ASSERT_TRUE(store->PutDevices({{"b", "{}", "new", "{}", 3}}).ok());
  auto devices = store->Devices().value();
  ASSERT_EQ(devices.size(), 2u);
  EXPECT_EQ(devices[0].name, "b");
  EXPECT_EQ(devices[0].canonical_target, "new");
  EXPECT_EQ(devices[0].target_index, 3);
}

TEST_F(StoreTest, NanIsNeverReadAsZero) {
  auto store = MustOpen();
  StoredFate fate = MakeFate("1", 0);
  fate.max_abs_diff = std::numeric_limits<double>::quiet_NaN();
  ASSERT_TRUE(store->PutFates({fate}, std::nullopt).ok());
  EXPECT_TRUE(std::isnan(store->Fates("m", "d").value()[0].max_abs_diff));
}

TEST_F(StoreTest, SecondWriterIsRefusedByPidAReaderIsNot) {
  auto store = MustOpen();
  ASSERT_TRUE(store->SetMeta("k", "v").ok());
  auto second = Store::Open(path_);
  ASSERT_FALSE(second.ok());
  ExpectOneLine(second.error(), Code::kUnavailable);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  auto reader = Store::OpenReadOnly(path_);
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  EXPECT_EQ((*reader)->Meta("k").value(), "v");
  ASSERT_TRUE(store->SetMeta("k", "w").ok());
  EXPECT_EQ((*reader)->Meta("k").value(), "w");
  EXPECT_FALSE((*reader)->SetMeta("k", "x").ok());
  EXPECT_EQ((*reader)->SetMeta("k", "x").error().code, Code::kIo);
  store.reset();
  EXPECT_TRUE(Store::Open(path_).ok());
}

TEST_F(StoreTest, ReadingAMissingFileCreatesNothing) {
  auto store = Store::OpenReadOnly(path_);
  ASSERT_FALSE(store.ok());
  ExpectOneLine(store.error(), Code::kNotFound);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(StoreTest, MissingFolder) {
  path_ = folder_ + "/no/campaign.db";
  auto store = Store::Open(path_);
  ASSERT_FALSE(store.ok());
  ExpectOneLine(store.error(), Code::kIo);
}

TEST_F(StoreTest, RefusesWhatIsNoCampaign) {
  std::ofstream(path_) << "certainly not a database, but long enough to have a header of 100 bytes "
                          "....................................................................";
  ExpectOneLine(Store::Open(path_).error(), Code::kInvalidInput);
  ExpectOneLine(Store::OpenReadOnly(path_).error(), Code::kInvalidInput);
  EXPECT_FALSE(fs::exists(path_ + ".lock"));

  fs::remove(path_);
  {
    SQLite::Database other(path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    other.exec("CREATE TABLE bookmarks (url TEXT)");
  }
  ExpectOneLine(Store::Open(path_).error(), Code::kInvalidInput);
  {
    SQLite::Database other(path_, SQLite::OPEN_READWRITE);
    EXPECT_TRUE(other.tableExists("bookmarks"));
    EXPECT_FALSE(other.tableExists("fates"));
    EXPECT_EQ(other.execAndGet("PRAGMA journal_mode").getString(), "delete");
    other.exec("PRAGMA application_id = 77");
  }
  ExpectOneLine(Store::Open(path_).error(), Code::kInvalidInput);
}

TEST_F(StoreTest, RefusesANewerVersion) {
  MustOpen().reset();
  SQLite::Database(path_, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 999");
  ExpectOneLine(Store::Open(path_).error(), Code::kInvalidInput);
  ExpectOneLine(Store::OpenReadOnly(path_).error(), Code::kInvalidInput);
  EXPECT_NE(Store::Open(path_).error().message.find("newer"), std::string::npos);
}

TEST_F(StoreTest, DamagedFile) {
  auto store = MustOpen();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(store->SetMeta("key" + std::to_string(i), std::string(2000, 'x')).ok());
  }
  store.reset();
  fs::resize_file(path_, 8192);
  auto damaged = Store::Open(path_);
  if (damaged.ok()) {
    ExpectOneLine((*damaged)->Meta("key40").error(), Code::kInvalidInput);
  } else {
    ExpectOneLine(damaged.error(), Code::kInvalidInput);
  }
}

TEST_F(StoreTest, EmptyFileIsANewCampaign) {
  std::ofstream(path_).close();  // killed between creating the file and its first transaction
  EXPECT_FALSE(Store::OpenReadOnly(path_).ok());
  EXPECT_TRUE(MustOpen()->SetMeta("k", "v").ok());
}

TEST_F(StoreTest, MigratesStepByStepAndOnlyOnce) {
  std::vector<const char*> more(Migrations().begin(), Migrations().end());
  const int version = static_cast<int>(more.size());
  more.push_back("ALTER TABLE models ADD COLUMN note TEXT DEFAULT 'none'");
  ASSERT_TRUE(MustOpen()->PutModels({{"m", "p", "h", "g", "[]"}}).ok());
  {
    SQLite::Database database(path_, SQLite::OPEN_READWRITE);
    ASSERT_TRUE(Migrate(database, path_, more).ok());
    EXPECT_EQ(database.execAndGet("PRAGMA user_version").getInt(), version + 1);
    EXPECT_EQ(database.execAndGet("SELECT note FROM models WHERE name = 'm'").getString(), "none");
  }
  // A migration that fails leaves the version and the tables as they were.
  fs::remove(path_);
  MustOpen().reset();
  std::vector<const char*> broken = more;
  broken.back() = "CREATE TABLE half (a); CREATE TABLE models (a)";
  SQLite::Database database(path_, SQLite::OPEN_READWRITE);
  EXPECT_THROW((void)Migrate(database, path_, broken), SQLite::Exception);
  EXPECT_EQ(database.execAndGet("PRAGMA user_version").getInt(), version);
  EXPECT_FALSE(database.tableExists("half"));
}

TEST_F(StoreTest, BringsTheFirstVersionUpToDate) {
  {
    SQLite::Database database(path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    ASSERT_TRUE(Migrate(database, path_, Migrations().first(1)).ok());
  }
  auto store = MustOpen();
  ASSERT_TRUE(store->PutCodes({{"m", "x", 0, "c"}}).ok());
  EXPECT_EQ(store->Codes("m").value().at(0).code, "c");
}

TEST_F(StoreTest, ReadOnlyFolder) {
  ASSERT_TRUE(MustOpen()->SetMeta("k", "v").ok());
  fs::remove(path_ + ".lock");
  ::chmod(path_.c_str(), 0444);
  ::chmod(folder_.c_str(), 0555);
  bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }  // permissions do not bind root
  auto writer = Store::Open(path_);
  auto reader = Store::OpenReadOnly(path_);
  std::string value = reader.ok() ? (*reader)->Meta("k").value().value_or("none") : "unread";
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ::chmod(folder_.c_str(), 0755);
  ASSERT_FALSE(writer.ok());
  ExpectOneLine(writer.error(), Code::kIo);
  EXPECT_EQ(value, "v") << (reader.ok() ? "" : reader.error().message);
}

TEST_F(StoreTest, ReadOnlyFileInAWritableFolder) {
  MustOpen().reset();
  ::chmod(path_.c_str(), 0444);
  ::chmod(folder_.c_str(), 0777);
  ::chmod((path_ + ".lock").c_str(), 0666);
  bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  auto writer = Store::Open(path_);
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_FALSE(writer.ok());
  ExpectOneLine(writer.error(), Code::kIo);
}

// Fills the disk that `set_limit(true)` makes small, frees it with `set_limit(false)`.
void FillDisk(const std::string& path, const std::function<void(bool)>& set_limit) {
  auto store = Store::Open(path).value();
  set_limit(true);
  int stored = 0;
  std::optional<Error> failed;
  for (int i = 0; i < 4000 && !failed; ++i) {
    StoredFate fate = MakeFate(std::to_string(i), 0);
    fate.detail = std::string(5000, 'x');
    Status put = store->PutFates({fate, MakeFate(std::to_string(i), 1)}, std::nullopt);
    if (put.ok()) {
      ++stored;
    } else {
      failed = put.error();
    }
  }
  // Still usable for reading while the disk is full.
  auto readable = store->Fates("m", "d");
  set_limit(false);
  ASSERT_TRUE(readable.ok());
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code, Code::kIo);
  EXPECT_NE(failed->message.find(path), std::string::npos) << failed->message;
  EXPECT_NE(failed->message.find("free some space"), std::string::npos) << failed->message;
  EXPECT_EQ(failed->message.find('\n'), std::string::npos);
  EXPECT_GT(stored, 10);
  EXPECT_EQ(readable->size(), 2u * stored);
  // And for writing once there is space, without being opened again.
  EXPECT_TRUE(store->PutFates({MakeFate("after", 0)}, std::nullopt).ok());
  store.reset();
  store = Store::Open(path).value();
  EXPECT_EQ(store->Fates("m", "d").value().size(), 2u * stored + 1);
  SQLite::Database database(path, SQLite::OPEN_READWRITE);
  EXPECT_EQ(database.execAndGet("PRAGMA integrity_check").getString(), "ok");
}

TEST_F(StoreTest, FileSizeLimitLosesNothingAndPasses) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = old;
  small.rlim_cur = 1 << 20;  // a quota that needs no rights: writes beyond it fail with EFBIG
  FillDisk(path_, [&](bool on) { ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, on ? &small : &old), 0); });
}

TEST_F(StoreTest, FullDiskLosesNothingAndPasses) {
  std::string disk = folder_ + "/disk";
  ASSERT_TRUE(fs::create_directory(disk));
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=16m") != 0) {
    GTEST_SKIP() << "skipped: may not mount a tmpfs here";
  }
  FillDisk(StorePath(disk), [&](bool on) {
    ASSERT_EQ(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, on ? "size=1m" : "size=32m"), 0);
  });
  EXPECT_EQ(::umount(disk.c_str()), 0);
}

TEST_F(StoreTest, KilledInTheMiddleKeepsWholeTransactions) {
  constexpr int kFates = 50;  // of one mutant: one transaction
  std::mt19937 random(7);
  int next = 0;
  for (int round = 0; round < 8; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    pid_t child = ::fork();
    if (child == 0) {
      auto store = Store::Open(path_);
      if (!store.ok()) ::_exit(1);
      for (int mutant = next;; ++mutant) {
        std::vector<StoredFate> fates;
        for (int i = 0; i < kFates; ++i) fates.push_back(MakeFate(std::to_string(mutant), i));
        if (!(*store)->PutFates(fates, std::nullopt).ok()) ::_exit(2);
        if (::write(pipe_ends[1], "x", 1) != 1) ::_exit(3);
      }
    }
    ::close(pipe_ends[1]);
    int acknowledged = 5 + static_cast<int>(random() % 20);
    char byte;
    for (int i = 0; i < acknowledged; ++i) ASSERT_EQ(::read(pipe_ends[0], &byte, 1), 1);
    // A moment that differs from round to round, so that kills land at many places of a
    // transaction.
    unsigned turns = random() % 400000;
    for (volatile unsigned spin = 0; spin < turns;) spin = spin + 1;
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (::read(pipe_ends[0], &byte, 1) == 1) ++acknowledged;
    ::close(pipe_ends[0]);

    auto store = MustOpen();  // the dead process's lock is gone
    std::map<std::string, int> fates_of;
    std::vector<StoredFate> fates = store->Fates("m", "d").value();
    for (const StoredFate& fate : fates) ++fates_of[fate.mutant];
    for (const auto& [mutant, count] : fates_of) EXPECT_EQ(count, kFates) << mutant;
    for (int i = 0; i < next + acknowledged; ++i)
      EXPECT_TRUE(fates_of.count(std::to_string(i))) << i;
    next += acknowledged;
  }
}

}  // namespace
}  // namespace mutatenn
