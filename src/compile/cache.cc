// Two files an entry: KEY.so and KEY.json, the second written last and holding the first one's
// hash.
#include "compile/cache.h"

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

std::optional<CachedLibrary> Cache::Get(const std::string& key, const std::string& library) const {
  if (folder_.empty()) return std::nullopt;
  const std::string stem = folder_ + "/" + key.substr(0, 2) + "/" + key;
  auto text = ReadFile(stem + ".json");
  if (!text.ok()) return std::nullopt;
  auto json = ParseJson(*text, "cache");
  if (!json.ok() || !json->is_object()) return std::nullopt;
  CachedLibrary entry;
  entry.state = json->value("state", "");
  entry.reason = json->value("reason", "");
  entry.code = json->value("code", "");
  if (json->contains("packing")) {
    entry.packing = PackingFromJson((*json)["packing"]);
    if (!entry.packing) return std::nullopt;
  }
  if (entry.state != "ok") {
    if (entry.state != "stillborn" && entry.state != "equivalent") return std::nullopt;
    return entry;
  }
  auto bytes = ReadFile(stem + ".so");
  if (!bytes.ok() || HashBytes(*bytes) != json->value("sum", "")) return std::nullopt;
  // A copy: a campaign's folder must outlive the cache and anything done to it.
  if (!WriteFile(library, *bytes).ok()) return std::nullopt;
  return entry;
}

void Cache::Put(const std::string& key, const CachedLibrary& entry,
                const std::string& library) const {
  if (folder_.empty()) return;
  const std::string stem = folder_ + "/" + key.substr(0, 2) + "/" + key;
  if (!MakeDirectories(folder_ + "/" + key.substr(0, 2)).ok()) return;
  Json json = {{"state", entry.state}, {"reason", entry.reason}, {"code", entry.code}};
  if (entry.packing) json["packing"] = ToJson(*entry.packing);
  if (entry.state == "ok") {
    auto bytes = ReadFile(library);
    if (!bytes.ok() || !WriteFile(stem + ".so", *bytes).ok()) return;
    json["sum"] = HashBytes(*bytes);
  }
  (void)WriteFile(stem + ".json", DumpJson(json));
}

}  // namespace mutatenn
