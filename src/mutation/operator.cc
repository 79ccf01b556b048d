// The registry of mutation operators, and the check of what a configuration says about one.
#include "mutation/operator.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/nearest.h"

namespace mutatenn {
namespace {

std::vector<std::unique_ptr<MutationOperator>>& Registry() {
  static std::vector<std::unique_ptr<MutationOperator>> operators;
  return operators;
}

std::string Quoted(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "'" : ", '") + word + "'";
  return text;
}

Error UnknownParameter(const MutationOperator& op, const std::string& key) {
  std::vector<std::string> names;
  for (const ParameterSpec& spec : op.parameters) names.push_back(spec.name);
  std::string remedy = DidYouMean(key, names);
  if (remedy.empty()) remedy = names.empty() ? "; it has none" : "; it has " + Quoted(names);
  return Fail(Code::kInvalidInput, key, ": is no parameter of '", op.id, "'", remedy);
}

Error NotAllowed(const ParameterSpec& spec, const std::string& value) {
  return Fail(Code::kInvalidInput, spec.name, ": '", value, "' is not allowed; say ",
              Quoted(spec.allowed));
}

bool IsAllowed(const ParameterSpec& spec, const std::string& value) {
  return spec.allowed.empty() ||
         std::any_of(spec.allowed.begin(), spec.allowed.end(), [&](const std::string& allowed) {
           return allowed.ends_with('*')
                      ? value.starts_with(std::string_view(allowed).substr(0, allowed.size() - 1))
                      : value == allowed;
         });
}

Error WrongType(const ParameterSpec& spec, const Json& value, const char* wanted) {
  return Fail(Code::kInvalidInput, spec.name, ": is ", DumpJson(value), "; it must be ", wanted);
}

// The value in the one form that enters ids: numbers as double, lists sorted and each word once.
Result<Json> Normalize(const ParameterSpec& spec, const Json& value) {
  if (spec.type == "number") {
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      return WrongType(spec, value, "a number");
    return Json(value.get<double>());
  }
  if (spec.type == "integer") {
    if (!value.is_number_integer()) return WrongType(spec, value, "a whole number");
    const std::string text = value.dump();
    if (!IsAllowed(spec, text)) return NotAllowed(spec, text);
    return Json(value.get<int64_t>());
  }
  if (spec.type == "boolean") {
    if (!value.is_boolean()) return WrongType(spec, value, "true or false");
    return value;
  }
  if (spec.type == "string") {
    if (!value.is_string()) return WrongType(spec, value, "a string");
    if (!IsAllowed(spec, value.get<std::string>())) return NotAllowed(spec, value);
    return value;
  }
  CHECK(spec.type == "strings", spec.name);
  const bool strings =
      value.is_array() && !value.empty() &&
      std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string(); });
  if (!strings) return WrongType(spec, value, "a list of strings");
  std::vector<std::string> words = value.get<std::vector<std::string>>();
  for (const std::string& word : words)
    if (!IsAllowed(spec, word)) return NotAllowed(spec, word);
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return Json(words);
}

}  // namespace

Level MutationOperator::level() const {
  const std::string folder = id.substr(0, id.find('.'));
  for (Level level : {Level::kGraph, Level::kCode, Level::kLowered, Level::kBuild})
    if (folder == LevelName(level)) return level;
  CHECK(false, id);
}

RegisterOperator::RegisterOperator(MutationOperator op) {
  if (op.at_level_lowered) {
    MutationOperator lowered = op;
    lowered.id = "lowered." + op.id.substr(op.id.find('.') + 1);
    lowered.summary = "Per target, in lowered code: " + op.summary;
    lowered.doc = "As " + op.id +
                  ", but in what lowering makes of a kernel for one target: loops "
                  "are tiled, lanes are vectors, and scheduling has added predicates of its own "
                  "(tails, partly filled pieces). A mutant exists on the devices of its target "
                  "alone; with positions, one mutant changes the code of every target.";
    lowered.example = "lowered";
    lowered.at_level_lowered = false;
    Registry().push_back(std::make_unique<MutationOperator>(std::move(lowered)));
  }
  Registry().push_back(std::make_unique<MutationOperator>(std::move(op)));
}

const std::vector<const MutationOperator*>& AllOperators() {
  static const std::vector<const MutationOperator*> sorted = [] {
    std::vector<const MutationOperator*> all;
    for (const auto& op : Registry()) all.push_back(op.get());
    std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->id < b->id; });
    for (size_t i = 1; i < all.size(); ++i) CHECK(all[i - 1]->id != all[i]->id, all[i]->id);
    return all;
  }();
  return sorted;
}

const MutationOperator* FindOperator(const std::string& id) {
  for (const MutationOperator* op : AllOperators())
    if (op->id == id) return op;
  return nullptr;
}

Result<Json> CheckParameters(const MutationOperator& op, const Json& given) {
  if (!given.is_object())
    return Fail(Code::kInvalidInput, "parameters: is ", DumpJson(given), "; it must be an object");
  for (const auto& entry : given.items()) {
    const bool known =
        std::any_of(op.parameters.begin(), op.parameters.end(),
                    [&](const ParameterSpec& spec) { return spec.name == entry.key(); });
    if (!known) return UnknownParameter(op, entry.key());
  }
  Json checked = Json::object();
  for (const ParameterSpec& spec : op.parameters) {
    const Json& value = given.contains(spec.name) ? given.at(spec.name) : spec.fallback;
    checked[spec.name] = TRY(Normalize(spec, value));
  }
  return checked;
}

}  // namespace mutatenn
