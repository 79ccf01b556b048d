// From the table of keys to docs/campaign.schema.json.
#include <cstdint>

#include "campaign/key_table.h"

namespace mutatenn {
namespace {

Json ObjectSchema(const ObjectKeys& table);

Json PositionForms() {
  const Json number = {{"type", "integer"}, {"minimum", 0}};
  const Json range = {{"type", "string"}, {"pattern", "^[0-9]+-[0-9]*$"}};
  return Json::array({Json{{"enum", Json::array({"all", "start", "end"})}},
                      Json{{"type", "string"}, {"pattern", "^[0-9]*\\.?[0-9]+%$"}}, range,
                      Json{{"type", "array"},
                           {"minItems", 1},
                           {"items", Json{{"anyOf", Json::array({number, range})}}}}});
}

Json KeySchema(const Key& key) {
  Json schema = Json::object();
  schema["description"] = key.doc;
  switch (key.type) {
    case KeyType::kString:
      schema["type"] = "string";
      break;
    case KeyType::kInteger:
      schema["type"] = "integer";
      break;
    case KeyType::kNumber:
      schema["type"] = "number";
      break;
    case KeyType::kBoolean:
      schema["type"] = "boolean";
      break;
    case KeyType::kNumbers:
      schema["type"] = "array";
      schema["items"] = Json{{"type", "number"}};
      if (key.length > 0) schema["minItems"] = schema["maxItems"] = key.length;
      break;
    case KeyType::kObject:
      schema.update(ObjectSchema(*key.keys));
      break;
    case KeyType::kObjects:
      schema["type"] = "array";
      if (!key.minimum.is_null()) schema["minItems"] = key.minimum;
      schema["items"] = ObjectSchema(*key.keys);
      break;
    case KeyType::kTarget:
      schema["type"] = Json::array({"object", "string"});
      break;
    case KeyType::kSession:
      schema["type"] = "object";
      schema["properties"] = Json{{"kind", Json{{"type", "string"}}}};
      schema["required"] = Json::array({"kind"});
      break;
    case KeyType::kStrings:
      schema["type"] = "array";
      schema["items"] = Json{{"type", "string"}};
      break;
    case KeyType::kPositions:
      schema["anyOf"] = PositionForms();
      schema["anyOf"].push_back(
          Json{{"type", "object"},
               {"properties", Json{{"per_kernel", Json{{"anyOf", PositionForms()}}}}},
               {"required", Json::array({"per_kernel"})},
               {"additionalProperties", false}});
      break;
    case KeyType::kOperators:
      schema["type"] = "array";
      if (!key.minimum.is_null()) schema["minItems"] = key.minimum;
      schema["items"]["anyOf"] = Json::array(
          {Json{{"type", "string"}}, ObjectSchema(PresetKeys()), ObjectSchema(OperatorKeys())});
      break;
  }
  if (!key.choices.empty()) schema["enum"] = key.choices;
  bool number = key.type == KeyType::kInteger || key.type == KeyType::kNumber;
  if (number && !key.minimum.is_null()) schema["minimum"] = key.minimum;
  if (key.type == KeyType::kInteger) schema["maximum"] = INT32_MAX;
  if (number && !key.above.is_null()) schema["exclusiveMinimum"] = key.above;
  if (key.required && key.type == KeyType::kString) schema["minLength"] = 1;
  if (!key.fallback.is_null()) schema["default"] = key.fallback;
  return schema;
}

Json ObjectSchema(const ObjectKeys& table) {
  Json schema = Json::object();
  schema["type"] = "object";
  Json properties = Json::object();
  Json required = Json::array();
  for (const Key& key : table.keys) {
    properties[key.name] = KeySchema(key);
    if (key.required) required.push_back(key.name);
  }
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = table.open;
  return schema;
}

}  // namespace

std::string CampaignSchema() {
  Json schema = Json::object();
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "MutateNN campaign";
  schema["description"] =
      "Written by `mutatenn schema`; do not edit. Comments are allowed in a configuration; paths "
      "are "
      "relative to its file.";
  schema.update(ObjectSchema(CampaignKeys()));
  return schema.dump(2) + "\n";
}

}  // namespace mutatenn
