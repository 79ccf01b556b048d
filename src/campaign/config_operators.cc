// "operators": a word is an operator or a preset, {"preset": ...} a preset with include and exclude
// lists, {"id": ...} an operator with its parameters. All become plain uses; what presets bring
// twice is used once.
#include "campaign/config_operators.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/nearest.h"

namespace mutatenn {
namespace {

bool Contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool Matches(const std::string& glob, const std::string& id) {
  return ::fnmatch(glob.c_str(), id.c_str(), 0) == 0;
}

class OperatorsReader {
 public:
  OperatorsReader(const std::string& where, const OperatorCatalog* catalog,
                  const ResolveFile& resolve)
      : where_(where), catalog_(catalog), resolve_(resolve) {}

  Result<std::vector<OperatorUse>> Read(const Json& entries) {
    for (size_t i = 0; i < entries.size(); ++i) {
      at_ = fmt::format("operators[{}]", i);
      const Json& entry = entries[i];
      if (entry.is_string()) {
        TRY(ReadWord(entry.get<std::string>(), i));
      } else if (entry.contains("preset")) {
        TRY(ReadPreset(entry, i));
      } else {
        TRY(Add(TRY(UseOf(entry)), i, /*from_preset=*/false));
      }
    }
    return std::move(uses_);
  }

 private:
  Error Wrong(const std::string& what) const {
    return Fail(Code::kInvalidInput, where_, at_, what);
  }

  Status ReadWord(const std::string& word, size_t entry) {
    if (Contains(catalog_->ids, word)) return Add(TRY(UseOf(Json{{"id", word}})), entry, false);
    if (!Contains(catalog_->presets, word)) {
      std::vector<std::string> known = catalog_->ids;
      known.insert(known.end(), catalog_->presets.begin(), catalog_->presets.end());
      return Wrong(fmt::format(": '{}' is neither a mutation operator nor a preset{}", word,
                               Remedy(word, known)));
    }
    return ReadPreset(Json{{"preset", word}}, entry);
  }

  Status ReadPreset(const Json& entry, size_t number) {
    const std::string name = entry.at("preset");
    if (!Contains(catalog_->presets, name)) {
      std::string remedy = DidYouMean(name, catalog_->presets);
      if (remedy.empty()) remedy = fmt::format("; say '{}'", fmt::join(catalog_->presets, "', '"));
      return Wrong(fmt::format(".preset: '{}' is no preset{}", name, remedy));
    }
    std::vector<OperatorUse> uses = catalog_->uses_of(name);
    for (const char* list : {"include", "exclude"}) TRY(Filter(entry, list, name, &uses));
    if (uses.empty()) return Wrong(fmt::format(": nothing is left of preset '{}'", name));
    for (OperatorUse& use : uses) {
      if (entry.contains("positions")) use.positions = DumpJson(entry.at("positions"));
      if (entry.value("scope", "") == kScopeStep && LevelOf(use.id) == "code")
        use.scope = kScopeStep;
      if (!Contains(catalog_->ids, use.id))
        return Wrong(
            fmt::format(": preset '{}' needs '{}', an operator that this mutatenn lacks; "
                        "leave it out by \"exclude\"",
                        name, use.id));
      TRY(Check(&use));
      TRY(Add(std::move(use), number, /*from_preset=*/true));
    }
    return Ok();
  }

  // Keeps what "include" names, drops what "exclude" names.
  Status Filter(const Json& entry, const char* list, const std::string& preset,
                std::vector<OperatorUse>* uses) const {
    const Json globs = entry.value(list, Json::array());
    if (globs.empty()) return Ok();
    std::vector<std::string> ids;
    for (const OperatorUse& use : *uses) ids.push_back(use.id);
    for (size_t i = 0; i < globs.size(); ++i) {
      const std::string glob = globs[i];
      auto hit = [&](const std::string& id) { return Matches(glob, id); };
      if (std::none_of(ids.begin(), ids.end(), hit))
        return Wrong(fmt::format(".{}[{}]: '{}' matches no operator of preset '{}'{}", list, i,
                                 glob, preset, Remedy(glob, ids)));
    }
    const bool keep = std::string(list) == "include";
    std::erase_if(*uses, [&](const OperatorUse& use) {
      const bool named = std::any_of(globs.begin(), globs.end(), [&](const Json& glob) {
        return Matches(glob.get<std::string>(), use.id);
      });
      return named != keep;
    });
    return Ok();
  }

  Result<OperatorUse> UseOf(const Json& entry) const {
    OperatorUse use;
    use.id = entry.at("id");
    for (const auto& [key, value] : entry.items()) {
      if (key == "positions") {
        use.positions = DumpJson(value);
      } else if (key == "scope") {
        if (value == kScopeStep) use.scope = kScopeStep;
      } else if (key != "id") {
        use.parameters[key] = value;
      }
    }
    if (catalog_ == nullptr) return use;
    if (use.id == kPythonOperator) {
      TRY(ReadPython(&use));
      return use;
    }
    if (!Contains(catalog_->ids, use.id))
      return Wrong(fmt::format(".id: '{}' is no mutation operator{}", use.id,
                               Remedy(use.id, catalog_->ids)));
    if (!use.scope.empty() && LevelOf(use.id) != "code")
      return Wrong(
          fmt::format(".scope: '{}' is of level {}, and only level code knows steps; leave "
                      "it out",
                      use.id, LevelOf(use.id)));
    TRY(Check(&use));
    return use;
  }

  Status Check(OperatorUse* use) const {
    Result<Json> checked = catalog_->check(use->id, use->parameters);
    if (!checked.ok()) return Fail(checked.error().code, where_, at_, ".", checked.error().message);
    use->parameters = std::move(*checked);
    return Ok();
  }

  // Its content, not its place, is what the mutants' ids are made of.
  Status ReadPython(OperatorUse* use) const {
    for (const auto& [key, value] : use->parameters.items())
      if (key != "file")
        return Wrong(fmt::format(".{}: is no parameter of 'python'; it has 'file'", key));
    const auto file = use->parameters.find("file");
    if (file == use->parameters.end() || !file->is_string() || file->get<std::string>().empty())
      return Wrong(
          ".file: is missing; it names a Python file with points(mod) and apply(mod, point)");
    if (!use->scope.empty())
      return Wrong(".scope: a user's own operator knows no steps; leave it out");
    use->file = TRY(resolve_(file->get<std::string>(), at_ + ".file"));
    const std::string content = TRY(ReadFile(use->file));
    use->parameters = Json{{"file", std::filesystem::path(use->file).filename().string()},
                           {"content", HashBytes(content)}};
    return Ok();
  }

  Status Add(OperatorUse use, size_t entry, bool from_preset) {
    const auto [first, fresh] = seen_.emplace(OperatorKey(use), Origin{entry, from_preset});
    if (fresh) {
      uses_.push_back(std::move(use));
    } else if (!from_preset && !first->second.from_preset) {
      return Wrong(fmt::format(": is the same as operators[{}]; remove one", first->second.entry));
    }
    return Ok();
  }

  static std::string Remedy(const std::string& word, const std::vector<std::string>& known) {
    const std::string near = DidYouMean(word, known);
    return near.empty() ? "; `mutatenn operators` lists them" : near;
  }
  static std::string LevelOf(const std::string& id) { return id.substr(0, id.find('.')); }

  struct Origin {
    size_t entry = 0;
    bool from_preset = false;
  };
  const std::string& where_;
  const OperatorCatalog* catalog_;
  const ResolveFile& resolve_;
  std::string at_;
  std::map<std::string, Origin> seen_;  // by OperatorKey
  std::vector<OperatorUse> uses_;
};

}  // namespace

Result<std::vector<OperatorUse>> ReadOperators(const Json& entries, const std::string& where,
                                               const OperatorCatalog* catalog,
                                               const ResolveFile& resolve, Json* normal) {
  std::vector<OperatorUse> uses = TRY(OperatorsReader(where, catalog, resolve).Read(entries));
  *normal = Json::array();
  for (const OperatorUse& use : uses) {
    Json entry = {{"id", use.id}};
    if (!use.positions.empty()) entry["positions"] = Json::parse(use.positions);
    if (!use.scope.empty()) entry["scope"] = use.scope;
    for (const auto& [key, value] : use.parameters.items()) entry[key] = value;
    normal->push_back(std::move(entry));
  }
  return uses;
}

}  // namespace mutatenn
