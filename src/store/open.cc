// Opening a campaign file: lock, is it ours, which version, migrate, write-ahead log.
#include "store/open.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "store/schema.h"

namespace mutatenn {
namespace {

constexpr int kBusyMilliseconds =
    10000;  // a reader's checkpoint or a copying tool may hold the file

int64_t Pragma(SQLite::Database& database, const char* name) {
  return database.execAndGet(std::string("PRAGMA ") + name).getInt64();
}

// Version of a file that is ours, 0 of an empty one.
Result<int> Identify(SQLite::Database& database, const std::string& path) {
  int64_t application = Pragma(database, "application_id");
  int64_t version = Pragma(database, "user_version");
  bool empty = database.execAndGet("SELECT count(*) FROM sqlite_master").getInt64() == 0;
  if (application == 0 && version == 0 && empty) return 0;
  if (application != kApplicationId) {
    return Fail(Code::kInvalidInput, path,
                ": a database of another program, not a campaign; name another folder");
  }
  int newest = static_cast<int>(Migrations().size());
  if (version > newest) {
    return Fail(Code::kInvalidInput, path, ": written by a newer mutatenn (file version ",
                std::to_string(version), ", this program knows ", std::to_string(newest),
                "); use that one");
  }
  return static_cast<int>(version);
}

std::string PercentEncoded(const std::string& path) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (unsigned char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      text += {'%', kDigits[c >> 4], kDigits[c & 15]};
    } else {
      text += static_cast<char>(c);
    }
  }
  return text;
}

Result<std::unique_ptr<SQLite::Database>> TryReading(const std::string& path, bool immutable) {
  std::unique_ptr<SQLite::Database> database;
  try {
    // No locks inside SQLite: the store lets one thread in at a time.
    database = std::make_unique<SQLite::Database>(
        immutable ? "file:" + PercentEncoded(path) + "?immutable=1" : path,
        SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX | (immutable ? SQLite::OPEN_URI : 0),
        kBusyMilliseconds);
    int version = TRY(Identify(*database, path));
    if (version != static_cast<int>(Migrations().size())) {
      return Fail(Code::kInvalidInput, path,
                  version == 0 ? ": an empty campaign; run `mutatenn build` first"
                               : ": written by an older mutatenn; `mutatenn run` on it once "
                                 "brings it up to date");
    }
    return database;
  } catch (const SQLite::Exception& e) {
    return StoreError(path, e, database ? database->getHandle() : nullptr);
  }
}

}  // namespace

Result<std::unique_ptr<StoreLock>> StoreLock::Take(const std::string& path) {
  std::string file = path + ".lock";
  int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    int error = errno;
    const char* remedy = error == ENOENT   ? "; create the folder first"
                         : error == ENOSPC ? "; free some space and run the same command again"
                                           : "; name a folder that you may write to";
    return Fail(Code::kIo, "cannot write ", file, ": ", std::strerror(error), remedy);
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    int error = errno;
    char holder[32] = "";
    ssize_t n = ::pread(descriptor, holder, sizeof holder - 1, 0);
    ::close(descriptor);
    std::string pid = n > 0 ? std::string(holder, strcspn(holder, "\n")) : "unknown";
    if (error != EWOULDBLOCK) {
      return Fail(Code::kIo, "cannot lock ", file, ": ", std::strerror(error),
                  "; name a folder on a file system with locks");
    }
    return Fail(Code::kUnavailable, path, ": in use by another mutatenn, process ", pid,
                "; wait until it ends, or end it");
  }
  std::string pid = std::to_string(::getpid()) + "\n";
  // The lock is what counts; on a full disk the number may be missing.
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, pid.data(), pid.size(), 0) < 0)
    errno = 0;
  return std::unique_ptr<StoreLock>(new StoreLock(file, descriptor));
}

StoreLock::~StoreLock() { ::close(descriptor_); }

void StoreLock::RemoveFile() { ::unlink(file_.c_str()); }

Error StoreError(const std::string& path, const SQLite::Exception& exception, sqlite3* handle) {
  int code = exception.getErrorCode() & 0xff;
  // SQLite keeps the system's error for some calls only; errno is then the best hint that there is.
  int hint = errno;
  int system_error = handle ? sqlite3_system_errno(handle) : 0;
  if (system_error == 0 && code == SQLITE_IOERR) system_error = hint;
  bool space = system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
  switch (code) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
      if (code == SQLITE_FULL || space) {
        return Fail(Code::kIo, "cannot write ", path, ": ",
                    std::strerror(space ? system_error : ENOSPC),
                    "; free some space and run the same command again, nothing stored is lost");
      }
      return Fail(Code::kIo, "cannot read or write ", path, ": ",
                  system_error ? std::strerror(system_error) : exception.what(),
                  "; check the disk and run the same command again");
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Fail(Code::kIo, "cannot open ", path, ": ",
                  system_error ? std::strerror(system_error) : exception.what(),
                  "; check the permissions of the file and its folder");
    case SQLITE_NOTADB:
      return Fail(Code::kInvalidInput, path,
                  ": not a campaign (no SQLite database); name another folder");
    case SQLITE_CORRUPT:
      return Fail(Code::kInvalidInput, path, ": damaged (", exception.what(),
                  "); restore it from a copy, or name another folder");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Fail(Code::kUnavailable, path,
                  ": held by another program; close it and run the same command again");
    default:
      return Fail(Code::kInternal, path, ": ", exception.what());
  }
}

Status Migrate(SQLite::Database& database, const std::string& path,
               std::span<const char* const> migrations) {
  int version = TRY(Identify(database, path));
  for (size_t next = static_cast<size_t>(version); next < migrations.size(); ++next) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(migrations[next]);
    database.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
    database.exec("PRAGMA user_version = " + std::to_string(next + 1));
    transaction.commit();
  }
  return Ok();
}

Result<std::unique_ptr<SQLite::Database>> OpenForWriting(const std::string& path) {
  std::unique_ptr<SQLite::Database> database;
  try {
    database = std::make_unique<SQLite::Database>(
        path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMilliseconds);
    if (sqlite3_db_readonly(database->getHandle(), "main") == 1) {
      return Fail(Code::kIo, "cannot write ", path,
                  ": read-only; check the permissions of the file and its folder");
    }
    // The schema comes before the log, so that even a bare copy of the file says whose it is.
    TRY(Migrate(*database, path, Migrations()));
    database->exec("PRAGMA journal_mode = WAL");
    // A killed process loses nothing committed; a power cut may lose the last transactions, never
    // half of one.
    database->exec("PRAGMA synchronous = NORMAL");
    return database;
  } catch (const SQLite::Exception& e) {
    return StoreError(path, e, database ? database->getHandle() : nullptr);
  }
}

Result<std::unique_ptr<SQLite::Database>> OpenForReading(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Fail(Code::kNotFound, path, ": no such file; name the folder of a campaign");
  }
  auto database = TryReading(path, /*immutable=*/false);
  if (database.ok() || database.error().code != Code::kIo) return database;
  // A folder that we may not write to has no place for the log's index. Without a log none is
  // needed.
  auto log_size = std::filesystem::file_size(path + "-wal", error);
  if (!error && log_size > 0) return database;
  return TryReading(path, /*immutable=*/true);
}

}  // namespace mutatenn
