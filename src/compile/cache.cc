// KEY.json for an entry, written last, with the name and the hash of the library that holds it.
#include "compile/cache.h"

#include <filesystem>

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"

namespace mutatenn {

namespace {

Json ToJson(const Packing& packing) {
  return {{"input", packing.input},
          {"shape", packing.weight.shape},
          {"dtype", packing.weight.dtype},
          {"axis", packing.axis},
          {"block", packing.block}};
}

// Nothing where the entry is damaged.
std::optional<Packing> PackingFromJson(const Json& json) {
  try {
    return Packing{
        json.at("input").get<int>(),
        {json.at("shape").get<std::vector<int64_t>>(), json.at("dtype").get<std::string>()},
        json.at("axis").get<size_t>(),
        json.at("block").get<int64_t>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string Cache::Stem(const std::string& name) const {
  return folder_ + "/" + name.substr(0, 2) + "/" + name;
}

std::optional<CachedLibrary> Cache::Get(const std::string& key, const std::string& folder) const {
  if (folder_.empty()) return std::nullopt;
  auto text = ReadFile(Stem(key) + ".json");
  if (!text.ok()) return std::nullopt;
  auto json = ParseJson(*text, "cache");
  if (!json.ok() || !json->is_object()) return std::nullopt;
  CachedLibrary entry;
  entry.state = json->value("state", "");
  entry.reason = json->value("reason", "");
  entry.code = json->value("code", "");
  entry.lowered = json->value("lowered", "");
  entry.library = json->value("library", "");
  entry.symbol = json->value("symbol", "");
  entry.fixed_accesses = json->value("fixed_accesses", false);
  if (json->contains("packing")) {
    entry.packing = PackingFromJson((*json)["packing"]);
    if (!entry.packing) return std::nullopt;
  }
  if (entry.state != "ok") {
    if (entry.state != "stillborn" && entry.state != "equivalent") return std::nullopt;
    return entry;
  }
  auto bytes = ReadFile(Stem(entry.library));
  if (!bytes.ok() || HashBytes(*bytes) != json->value("sum", "")) return std::nullopt;
  // A copy: a campaign's folder must outlive the cache and anything done to it. Not over one that
  // is there: a worker may have it mapped.
  const std::string copy = folder + "/" + entry.library;
  if (!std::filesystem::exists(copy) && !WriteFile(copy, *bytes).ok()) return std::nullopt;
  return entry;
}

void Cache::Put(const std::string& key, const CachedLibrary& entry,
                const std::string& folder) const {
  if (folder_.empty()) return;
  if (!MakeDirectories(folder_ + "/" + key.substr(0, 2)).ok()) return;
  Json json = {{"state", entry.state},
               {"reason", entry.reason},
               {"code", entry.code},
               {"lowered", entry.lowered}};
  if (entry.packing) json["packing"] = ToJson(*entry.packing);
  if (entry.state == "ok") {
    auto bytes = ReadFile(folder + "/" + entry.library);
    if (!bytes.ok() || !MakeDirectories(folder_ + "/" + entry.library.substr(0, 2)).ok()) return;
    const std::string stored = Stem(entry.library);
    const std::string sum = HashBytes(*bytes);
    auto there = ReadFile(stored);
    if ((!there.ok() || HashBytes(*there) != sum) && !WriteFile(stored, *bytes).ok()) return;
    json.update({{"library", entry.library},
                 {"symbol", entry.symbol},
                 {"fixed_accesses", entry.fixed_accesses},
                 {"sum", sum}});
  }
  (void)WriteFile(Stem(key) + ".json", DumpJson(json));
}

}  // namespace mutatenn
