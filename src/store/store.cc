// Structs to rows and rows to structs, on one SQLite connection. SQLiteCpp throws; nothing it
// throws leaves this file.
#include "store/store.h"

#include <cerrno>
#include <limits>
#include <mutex>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>

#include "base/clock.h"
#include "store/open.h"
#include "store/tables.h"

namespace mutatenn {
namespace {

int64_t Bindable(bool value) { return value; }
int64_t Bindable(int value) { return value; }
int64_t Bindable(int64_t value) { return value; }
double Bindable(double value) { return value; }  // SQLite keeps NaN as NULL
const std::string& Bindable(const std::string& value) { return value; }

void Read(const SQLite::Column& column, bool& value) { value = column.getInt64() != 0; }
void Read(const SQLite::Column& column, int& value) { value = column.getInt(); }
void Read(const SQLite::Column& column, int64_t& value) { value = column.getInt64(); }
void Read(const SQLite::Column& column, double& value) {
  value = column.isNull() ? std::numeric_limits<double>::quiet_NaN() : column.getDouble();
}
void Read(const SQLite::Column& column, std::string& value) {
  value.assign(column.getText(), static_cast<size_t>(column.getBytes()));
}

template <class Row>
void ReadRow(SQLite::Statement& statement, Row& row) {
  auto members = Table<Row>::Members(row);
  int index = 0;
  std::apply([&](auto&... member) { (Read(statement.getColumn(index++), member), ...); }, members);
}

template <class Row>
Row RowOf(SQLite::Statement& statement) {
  Row row;
  ReadRow(statement, row);
  return row;
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string path, std::unique_ptr<StoreLock> lock,
              std::unique_ptr<SQLite::Database> database)
      : path_(std::move(path)), lock_(std::move(lock)), database_(std::move(database)) {}

  Status SetMeta(const std::string& key, const std::string& value) override {
    return Guarded([&] {
      SQLite::Statement statement(*database_,
                                  "INSERT INTO meta (key, value) VALUES (?, ?) "
                                  "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
      SQLite::bind(statement, key, value);
      statement.exec();
      return Unit{};
    });
  }

  Result<std::optional<std::string>> Meta(const std::string& key) override {
    return Guarded([&]() -> std::optional<std::string> {
      SQLite::Statement statement(*database_, "SELECT value FROM meta WHERE key = ?");
      statement.bind(1, key);
      if (!statement.executeStep()) return std::nullopt;
      return statement.getColumn(0).getString();
    });
  }

  Result<std::map<std::string, std::string>> AllMeta() override {
    return Guarded([&] {
      std::map<std::string, std::string> all;
      SQLite::Statement statement(*database_, "SELECT key, value FROM meta");
      while (statement.executeStep())
        all.emplace(statement.getColumn(0).getString(), statement.getColumn(1).getString());
      return all;
    });
  }

  Status PutModels(const std::vector<StoredModel>& rows) override { return Put(rows); }
  Status PutImages(const std::vector<StoredImage>& rows) override { return Put(rows); }
  Status PutDevices(const std::vector<StoredDevice>& rows) override { return Put(rows); }
  Status PutPrograms(const std::vector<StoredProgram>& rows) override { return Put(rows); }
  Status PutPoints(const std::vector<StoredPoint>& rows) override { return Put(rows); }
  Status PutMutants(const std::vector<StoredMutant>& rows) override { return Put(rows); }
  Status PutOperatorUses(const std::vector<StoredOperatorUse>& rows) override { return Put(rows); }
  Status PutBuilds(const std::vector<StoredBuild>& rows) override { return Put(rows); }
  Status PutCodes(const std::vector<StoredCode>& rows) override { return Put(rows); }
  Status PutRepeats(const std::vector<StoredRepeat>& rows) override { return Put(rows); }
  Status PutReferenceOutputs(const std::vector<StoredReferenceOutput>& rows) override {
    return Put(rows);
  }
  Status PutVariants(const std::vector<StoredVariant>& rows) override { return Put(rows); }
  Status PutFloors(const std::vector<StoredFloor>& rows) override { return Put(rows); }
  Status PutStepHashes(const std::vector<StoredStepHash>& rows) override { return Put(rows); }
  Status PutGrowth(const std::vector<StoredGrowth>& rows) override { return Put(rows); }
  Status PutMutantRuns(const std::vector<StoredMutantRun>& rows) override { return Put(rows); }
  Status PutOriginals(const std::vector<StoredOriginal>& rows) override { return Put(rows); }

  Status PutFates(const std::vector<StoredFate>& fates,
                  const std::optional<StoredOutOfBounds>& out_of_bounds) override {
    return Guarded([&] {
      SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
      Upsert(fates);
      if (out_of_bounds) Upsert(std::vector<StoredOutOfBounds>{*out_of_bounds});
      transaction.commit();
      return Unit{};
    });
  }

  Status AddEvent(const std::string& kind, const std::string& text) override {
    return Guarded([&] {
      SQLite::Statement statement(*database_, "INSERT INTO events (kind, text) VALUES (?, ?)");
      SQLite::bind(statement, kind, text);
      statement.exec();
      return Unit{};
    });
  }

  Result<std::vector<StoredModel>> Models() override { return Get<StoredModel>("ORDER BY rowid"); }
  Result<std::vector<StoredRepeat>> Repeats(const std::string& model) override {
    return Get<StoredRepeat>("WHERE model = ? ORDER BY device, image", model);
  }
  Result<std::vector<StoredReferenceOutput>> ReferenceOutputs(const std::string& model) override {
    return Get<StoredReferenceOutput>("WHERE model = ? ORDER BY image, output", model);
  }
  Result<std::vector<StoredVariant>> Variants(const std::string& model, int target_index) override {
    return Get<StoredVariant>("WHERE model = ? AND target_index = ? ORDER BY variant", model,
                              target_index);
  }
  Result<std::vector<StoredStepHash>> StepHashes(const std::string& model,
                                                 const std::string& device) override {
    return Get<StoredStepHash>("WHERE model = ? AND device = ? ORDER BY image, number", model,
                               device);
  }
  Result<std::vector<StoredGrowth>> Growth(const std::string& model) override {
    return Get<StoredGrowth>("WHERE model = ? ORDER BY mutant, device, against, number", model);
  }
  Result<std::vector<StoredFloor>> Floors(const std::string& model,
                                          const std::string& device) override {
    return Get<StoredFloor>("WHERE model = ? AND device = ? ORDER BY step, output", model, device);
  }
  Result<std::vector<StoredImage>> Images(const std::string& model) override {
    return Get<StoredImage>("WHERE model = ? ORDER BY position, name", model);
  }
  Result<std::vector<StoredDevice>> Devices() override {
    return Get<StoredDevice>("ORDER BY rowid");
  }
  Result<std::vector<StoredProgram>> Programs() override {
    return Get<StoredProgram>("ORDER BY rowid");
  }
  Result<std::vector<StoredPoint>> Points(const std::string& model) override {
    return Get<StoredPoint>("WHERE model = ? ORDER BY op_key, number", model);
  }
  Result<std::vector<StoredMutant>> Mutants(const std::string& model) override {
    return Get<StoredMutant>("WHERE model = ? ORDER BY rowid", model);
  }
  Result<std::vector<StoredOperatorUse>> OperatorUses() override {
    return Get<StoredOperatorUse>("ORDER BY rowid");
  }

  Result<std::vector<StoredBuild>> Builds(const std::string& model) override {
    // The large columns stand last in the table, so that this reads none of their pages.
    return Select<StoredBuild>(
        "SELECT model,mutant,target_index,state,reason,ir_kind,seconds,'','' FROM builds "
        "WHERE model = ? ORDER BY mutant, target_index",
        model);
  }

  Result<std::optional<StoredBuild>> Build(const std::string& model, const std::string& mutant,
                                           int target_index) override {
    auto found = TRY(Get<StoredBuild>("WHERE model = ? AND mutant = ? AND target_index = ?", model,
                                      mutant, target_index));
    return found.empty() ? std::optional<StoredBuild>{} : std::move(found.front());
  }

  Result<std::vector<StoredCode>> Codes(const std::string& model) override {
    return Get<StoredCode>("WHERE model = ? ORDER BY mutant, target_index", model);
  }
  Result<std::vector<StoredOriginal>> Originals(const std::string& model) override {
    return Get<StoredOriginal>("WHERE model = ? ORDER BY device, image", model);
  }
  Result<std::vector<StoredFate>> Fates(const std::string& model,
                                        const std::string& device) override {
    return Get<StoredFate>("WHERE model = ? AND device = ? ORDER BY mutant, image", model, device);
  }
  Status EachFate(const std::string& model,
                  const std::function<Status(const StoredFate&)>& visit) override {
    // In the order of the primary key: nothing is sorted or kept.
    return Each("WHERE model = ? ORDER BY model, mutant, device, image", model, visit);
  }
  Status EachBuild(const std::string& model,
                   const std::function<Status(const StoredBuild&)>& visit) override {
    return Each("WHERE model = ? ORDER BY model, mutant, target_index", model, visit);
  }
  Result<std::vector<StoredFate>> FatesOf(const std::string& model,
                                          const std::string& mutant) override {
    return Get<StoredFate>("WHERE model = ? AND mutant = ? ORDER BY device, image", model, mutant);
  }
  Result<std::vector<StoredMutantRun>> MutantRuns(const std::string& model,
                                                  const std::string& device) override {
    return Get<StoredMutantRun>("WHERE model = ? AND device = ? ORDER BY mutant, image, run", model,
                                device);
  }
  Result<std::vector<StoredOutOfBounds>> OutOfBoundsOf(const std::string& model) override {
    return Get<StoredOutOfBounds>("WHERE model = ? ORDER BY mutant, device", model);
  }

  Result<std::vector<std::pair<std::string, std::string>>> Events() override {
    return Guarded([&] {
      std::vector<std::pair<std::string, std::string>> events;
      SQLite::Statement statement(*database_, "SELECT kind, text FROM events ORDER BY id");
      while (statement.executeStep()) {
        events.emplace_back(statement.getColumn(0).getString(), statement.getColumn(1).getString());
      }
      return events;
    });
  }

 private:
  // Runs one query or transaction; one thread at a time, since a connection has one transaction.
  template <class Body>
  auto Guarded(Body&& body) -> Result<decltype(body())> {
    std::lock_guard<std::mutex> guard(mutex_);
    AddSeconds timer(busy_s_);
    errno = 0;  // StoreError looks at it
    try {
      return body();
    } catch (const SQLite::Exception& e) {
      return StoreError(path_, e, database_->getHandle());
    } catch (const std::exception& e) {
      return Fail(Code::kInternal, path_, ": ", e.what());
    }
  }

  template <class Row>
  void Upsert(const std::vector<Row>& rows) {
    SQLite::Statement statement(*database_, UpsertSql<Row>());
    for (const Row& row : rows) {
      std::apply([&](const auto&... member) { SQLite::bind(statement, Bindable(member)...); },
                 Table<Row>::Members(row));
      statement.exec();
      statement.reset();
    }
  }

  template <class Row>
  Status Put(const std::vector<Row>& rows) {
    return Guarded([&] {
      SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
      Upsert(rows);
      transaction.commit();
      return Unit{};
    });
  }

  template <class Row>
  Status Each(const std::string& rest, const std::string& model,
              const std::function<Status(const Row&)>& visit) {
    Status visited = Ok();
    TRY(Guarded([&] {
      SQLite::Statement statement(*database_, SelectSql<Row>(rest));
      statement.bind(1, model);
      Row row;
      while (visited.ok() && statement.executeStep()) {
        ReadRow(statement, row);
        visited = visit(row);
      }
      return Unit{};
    }));
    return visited;
  }

  template <class Row, class... Values>
  Result<std::vector<Row>> Select(const std::string& sql, const Values&... values) {
    return Guarded([&] {
      SQLite::Statement statement(*database_, sql);
      SQLite::bind(statement, values...);
      std::vector<Row> rows;
      while (statement.executeStep()) rows.push_back(RowOf<Row>(statement));
      return rows;
    });
  }

  template <class Row, class... Values>
  Result<std::vector<Row>> Get(const std::string& rest, const Values&... values) {
    return Select<Row>(SelectSql<Row>(rest), values...);
  }

  std::string path_;
  std::unique_ptr<StoreLock> lock_;  // outlives the connection; null when opened for reading
  std::unique_ptr<SQLite::Database> database_;
  std::mutex mutex_;
};

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(const std::string& path) {
  auto lock = TRY(StoreLock::Take(path));
  auto database = OpenForWriting(path);
  if (!database.ok()) {
    if (database.error().code == Code::kInvalidInput) lock->RemoveFile();
    return database.error();
  }
  return std::unique_ptr<Store>(
      std::make_unique<SqliteStore>(path, std::move(lock), std::move(database).value()));
}

Result<std::unique_ptr<Store>> Store::OpenReadOnly(const std::string& path) {
  auto database = TRY(OpenForReading(path));
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(path, nullptr, std::move(database)));
}

}  // namespace mutatenn
