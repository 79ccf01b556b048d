// From a parsed file and the table of keys to a normalised object, or to one line that says what is
// wrong.
#include "campaign/key_table.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "mutation/positions.h"

namespace mutatenn {
namespace {

const char* Wanted(KeyType type) {
  switch (type) {
    case KeyType::kString:
      return "a string";
    case KeyType::kInteger:
      return "a whole number";
    case KeyType::kNumber:
      return "a number";
    case KeyType::kBoolean:
      return "true or false";
    case KeyType::kNumbers:
      return "a list of numbers";
    case KeyType::kObject:
      return "an object {...}";
    case KeyType::kObjects:
      return "a list of objects [{...}]";
    case KeyType::kTarget:
      return "an object such as {\"kind\": \"llvm\", \"mcpu\": \"host\"}";
    case KeyType::kSession:
      return "an object such as {\"kind\": \"local\"}";
    case KeyType::kStrings:
      return "a list of strings";
    case KeyType::kPositions:
      return kPositionsForms;
    case KeyType::kOperators:
      return "a list of words and objects such as [\"default\", {\"id\": \"code.relation\"}]";
  }
  return "";
}

std::string Shown(const Json& value) {
  std::string text = value.is_string() ? "'" + value.get<std::string>() + "'" : DumpJson(value);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

bool IsType(const Json& value, KeyType type) {
  switch (type) {
    case KeyType::kString:
      return value.is_string();
    case KeyType::kInteger:
      return value.is_number_integer();
    case KeyType::kNumber:
      return value.is_number() && std::isfinite(value.get<double>());
    case KeyType::kBoolean:
      return value.is_boolean();
    case KeyType::kNumbers:
      return value.is_array() && std::all_of(value.begin(), value.end(),
                                             [](const Json& item) { return item.is_number(); });
    case KeyType::kObject:
    case KeyType::kSession:
      return value.is_object();
    case KeyType::kObjects:
      return value.is_array() && std::all_of(value.begin(), value.end(),
                                             [](const Json& item) { return item.is_object(); });
    case KeyType::kTarget:
      return value.is_object() || value.is_string();
    case KeyType::kStrings:
      return value.is_array() && std::all_of(value.begin(), value.end(),
                                             [](const Json& item) { return item.is_string(); });
    case KeyType::kPositions:
      return true;  // PositionsFromJson says what is wrong
    case KeyType::kOperators:
      return value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& item) {
               return item.is_object() || item.is_string();
             });
  }
  return false;
}

std::string Join(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

Result<Json> CheckValue(const Json& value, const Key& key, const std::string& where,
                        const std::string& path) {
  const std::string at = where + path + ": ";
  if (!IsType(value, key.type)) {
    return Fail(Code::kInvalidInput, at, "is ", Shown(value), "; it must be ", Wanted(key.type));
  }
  if (!key.choices.empty()) {
    std::string text = value.get<std::string>();
    if (std::find(key.choices.begin(), key.choices.end(), text) == key.choices.end()) {
      return Fail(Code::kInvalidInput, at, Shown(value), " is not known; say ",
                  fmt::format("'{}'", fmt::join(key.choices, "' or '")));
    }
  }
  if (key.required && value.is_string() && value.get<std::string>().empty()) {
    return Fail(Code::kInvalidInput, at, "is empty");
  }
  if (key.type == KeyType::kInteger && value.is_number_unsigned() &&
      value.get<uint64_t>() > static_cast<uint64_t>(INT32_MAX)) {
    return Fail(Code::kInvalidInput, at, "is ", Shown(value), "; it must be at most ",
                std::to_string(INT32_MAX));
  }
  if (key.type == KeyType::kInteger || key.type == KeyType::kNumber) {
    if (!key.minimum.is_null() && value.get<double>() < key.minimum.get<double>()) {
      return Fail(Code::kInvalidInput, at, "is ", Shown(value), "; it must be at least ",
                  Shown(key.minimum));
    }
    if (!key.above.is_null() && value.get<double>() <= key.above.get<double>()) {
      return Fail(Code::kInvalidInput, at, "is ", Shown(value), "; it must be above ",
                  Shown(key.above));
    }
  }
  if (key.type == KeyType::kNumbers && key.length > 0 &&
      value.size() != static_cast<size_t>(key.length)) {
    return Fail(Code::kInvalidInput, at,
                fmt::format("has {} number{}; it must have {}, one a channel", value.size(),
                            value.size() == 1 ? "" : "s", key.length));
  }
  if (key.type == KeyType::kObject) return CheckObject(value, *key.keys, where, path);
  if (key.type == KeyType::kPositions) {
    const auto positions = PositionsFromJson(value);
    if (!positions.ok()) return Fail(Code::kInvalidInput, at, positions.error().message);
    return value;
  }
  if (key.type == KeyType::kObjects || key.type == KeyType::kOperators) {
    if (!key.minimum.is_null() && value.size() < key.minimum.get<size_t>()) {
      return Fail(Code::kInvalidInput, at, "is empty; name at least ", Shown(key.minimum));
    }
    Json items = Json::array();
    for (size_t i = 0; i < value.size(); ++i) {
      const Json& item = value[i];
      if (item.is_string()) {
        items.push_back(item);
        continue;
      }
      const ObjectKeys& keys = key.type == KeyType::kObjects ? *key.keys
                               : item.contains("preset")     ? PresetKeys()
                                                             : OperatorKeys();
      items.push_back(TRY(CheckObject(item, keys, where, fmt::format("{}[{}]", path, i))));
    }
    return items;
  }
  // 5 and 5.0 are one number where a number is asked for: what is compared later is canonical.
  if (key.type == KeyType::kNumber) return Json(value.get<double>());
  if (key.type == KeyType::kNumbers) return Json(value.get<std::vector<double>>());
  return value;
}

}  // namespace

Result<Json> CheckObject(const Json& object, const ObjectKeys& table, const std::string& where,
                         const std::string& path) {
  if (!object.is_object()) {
    return Fail(Code::kInvalidInput, where, path, path.empty() ? "" : ": ", "it must be ",
                Wanted(KeyType::kObject));
  }
  std::vector<std::string> names;
  for (const Key& key : table.keys) names.push_back(key.name);
  Json checked = Json::object();
  for (const Key& key : table.keys) {
    auto found = object.find(key.name);
    if (found != object.end()) {
      checked[key.name] = TRY(CheckValue(*found, key, where, Join(path, key.name)));
    } else if (key.required) {
      for (const auto& [name, value] : object.items()) {
        if (std::find(names.begin(), names.end(), name) == names.end() &&
            Nearest(name, names) == key.name) {
          return Fail(Code::kInvalidInput, where, Join(path, name), ": unknown key",
                      DidYouMean(name, names));
        }
      }
      return Fail(Code::kInvalidInput, where, Join(path, key.name), ": is missing; it must be ",
                  Wanted(key.type));
    } else if (!key.fallback.is_null()) {
      checked[key.name] = TRY(CheckValue(key.fallback, key, where, Join(path, key.name)));
    }
  }
  for (const auto& [name, value] : object.items()) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    if (!table.open) {
      std::string remedy = DidYouMean(name, names);
      if (remedy.empty()) remedy = fmt::format("; the keys here are {}", fmt::join(names, ", "));
      return Fail(Code::kInvalidInput, where, Join(path, name), ": unknown key", remedy);
    }
    checked[name] = value;
  }
  return checked;
}

}  // namespace mutatenn
