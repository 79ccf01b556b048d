// The configuration's keys as data. One table (config_keys.cc) drives three things, which therefore
// cannot disagree: the check of a user's file, the defaults, and docs/campaign.schema.json.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/nearest.h"
#include "base/result.h"

namespace mutatenn {

enum class KeyType {
  kString,
  kInteger,
  kNumber,
  kBoolean,
  kNumbers,
  kObject,
  kObjects,
  kTarget,   // a TVM target: an object, or a string that names one of TVM's own
  kSession,  // an object with "kind" and what that kind needs
  kStrings,
  kPositions,  // mutation/positions.h
  kOperators,  // words, and objects with "preset" or "id"
};

struct ObjectKeys;

struct Key {
  std::string name;
  KeyType type = KeyType::kString;
  std::string doc;
  bool required = false;
  Json fallback = nullptr;                // null: nothing is filled in
  std::vector<std::string> choices = {};  // kString
  Json minimum = nullptr;                 // kInteger, kNumber; counts of kObjects
  Json above = nullptr;                   // exclusive minimum
  int length = 0;                         // kNumbers: how many; 0 = any
  const ObjectKeys* keys = nullptr;       // kObject, kObjects
};

struct ObjectKeys {
  std::vector<Key> keys;
  // Keys that the table does not know are left for the caller to check (an operator's own
  // parameters).
  bool open = false;
};

const ObjectKeys& CampaignKeys();

// An entry of "operators" that is an object, with "preset" or without.
const ObjectKeys& PresetKeys();
const ObjectKeys& OperatorKeys();

// The object with defaults filled in and keys in the table's order. kInvalidInput: one line that
// starts with `where` ("file.json: ") and the key's path. `path` is the object's own ("" = the
// whole file).
Result<Json> CheckObject(const Json& object, const ObjectKeys& keys, const std::string& where,
                         const std::string& path);
// JSON Schema, draft 2020-12, with a newline at its end.
std::string CampaignSchema();

}  // namespace mutatenn
