// A campaign's file on disk to an open, identified, migrated SQLite connection; and SQLite's errors
// to one line each. Private to this room.
#pragma once

#include <memory>
#include <span>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "base/result.h"

namespace mutatenn {

// Holds `flock` on "<path>.lock" with this process's id in it; released with the object or the
// process.
class StoreLock {
 public:
  static Result<std::unique_ptr<StoreLock>> Take(const std::string& path);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;
  // The file beside turned out not to be ours: leave nothing behind.
  void RemoveFile();

 private:
  StoreLock(std::string file, int descriptor) : file_(std::move(file)), descriptor_(descriptor) {}
  std::string file_;
  int descriptor_;
};

// One line that names the file and the remedy. `handle` may be null (opening failed).
Error StoreError(const std::string& path, const SQLite::Exception& exception, sqlite3* handle);

// Applies what is missing of `migrations`, each in one transaction with its version number.
// kInvalidInput: the file is no campaign, or of a newer version. Throws SQLite::Exception
// otherwise.
Status Migrate(SQLite::Database& database, const std::string& path,
               std::span<const char* const> migrations);

Result<std::unique_ptr<SQLite::Database>> OpenForWriting(const std::string& path);
Result<std::unique_ptr<SQLite::Database>> OpenForReading(const std::string& path);

}  // namespace mutatenn
