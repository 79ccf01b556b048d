// The tool's entries as data, and the rules that turn one into a use of an operator.
#include "mutation/tool_mutations.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>

namespace mutatenn {
namespace {

constexpr const char* kToolMutations = R"json(
{
  "relay": [
    {"title": "transpose_conv2d_0_before", "type": "apply_tensor_operation", "operation":
      "transpose", "order": "before", "functions": ["nn.conv2d"], "arg": 0},
    {"title": "transpose_dense_0_before", "type": "apply_tensor_operation", "operation":
      "transpose", "order": "before", "functions": ["nn.dense"], "arg": 0},
    {"title": "transpose_conv2d_dense_0_before", "type": "apply_tensor_operation", "operation":
      "transpose", "order": "before", "functions": ["nn.conv2d", "nn.dense"], "arg": 0},
    {"title": "transpose_conv2d_dense_1_before", "type": "apply_tensor_operation", "operation":
      "transpose", "order": "before", "functions": ["nn.conv2d", "nn.dense"], "arg": 1},
    {"title": "transpose_batch_norm_0_before", "type": "apply_tensor_operation", "operation":
      "transpose", "order": "before", "functions": ["nn.batch_norm"], "arg": 0},
    {"title": "exp_conv2d_dense_0_before", "type": "apply_tensor_operation", "operation": "exp",
      "order": "before", "functions": ["nn.conv2d", "nn.dense"], "arg": 0},
    {"title": "exp_conv2d_dense_0_after", "type": "apply_tensor_operation", "operation": "exp",
      "order": "after", "functions": ["nn.conv2d", "nn.dense"], "arg": 0},
    {"title": "exp_batch_norm_0_before", "type": "apply_tensor_operation", "operation": "exp",
      "order": "before", "functions": ["nn.batch_norm"], "arg": 0},
    {"title": "round_batch_norm_0_before", "type": "apply_tensor_operation", "operation": "round",
      "order": "before", "functions": ["nn.batch_norm"], "arg": 0},
    {"title": "replace_func_add_to_subtract", "type": "replace_func", "original_func_name": "add",
      "mutated_func_name": "subtract"},
    {"title": "replace_func_relu_to_sigmoid", "type": "replace_func", "original_func_name":
      "nn.relu", "mutated_func_name": "sigmoid"}
  ],
  "tir": [
    {"title": "float32_to_float16", "type": "change_type", "original": "float32", "mutation":
      "float16", "stmt_type": "tir.Store"},
    {"title": "float32_to_int32", "type": "change_type", "original": "float32", "mutation": "int32",
      "stmt_type": "tir.Store"},
    {"title": "float32_to_int16", "type": "change_type", "original": "float32", "mutation": "int16",
      "stmt_type": "tir.Store"},
    {"title": "float32_to_int8", "type": "change_type", "original": "float32", "mutation": "int8",
      "stmt_type": "tir.Store"},
    {"title": "subtract_from_store_value", "type": "change_store_value", "operator": "-",
      "modifier_value": "0.00000001", "stmt_type": "tir.Store"},
    {"title": "multiply_store_value", "type": "change_store_value", "operator": "*",
      "modifier_value": "1.00000001", "stmt_type": "tir.Store"},
    {"title": "change_threshold_ite_LT_r_a_0_5", "type": "change_threshold", "original": "model",
      "mutation": "change_threshold", "stmt_type": "tir.IfThenElse", "op": {"condition":
      "tvm.tir.expr.LT", "part": "right", "action": "add", "threshold_change": 0.5}},
    {"title": "ifstmt_LT_to_LE", "type": "change_ifstmt", "stmt_type": "tir.IfThenElse", "original":
      "tvm.tir.expr.LT", "mutation": "tvm.tir.expr.LE"},
    {"title": "ifstmt_LT_to_GT", "type": "change_ifstmt", "stmt_type": "tir.IfThenElse", "original":
      "tvm.tir.expr.LT", "mutation": "tvm.tir.expr.GT"},
    {"title": "ifstmt_GT_to_LT", "type": "change_ifstmt", "stmt_type": "tir.IfThenElse", "original":
      "tvm.tir.expr.GT", "mutation": "tvm.tir.expr.LT"},
    {"title": "ifstmt_GT_to_GE", "type": "change_ifstmt", "stmt_type": "tir.IfThenElse", "original":
      "tvm.tir.expr.GT", "mutation": "tvm.tir.expr.GE"}
  ]
}
)json";

// ---- Our side: the ids and parameters that the rules below write. ----

OperatorUse Use(const std::string& id, Json parameters) { return {id, std::move(parameters), ""}; }

// Its TIR passes ran on lowered code.
OperatorUse TirUse(const std::string& name, Json parameters) {
  return Use("lowered." + name, std::move(parameters));
}

// "nn.conv2d" -> "conv2d"; what has no short name is named as Relax names it.
std::string FunctionName(const std::string& theirs) {
  for (const char* known : {"conv2d", "dense", "batch_norm"})
    if (theirs == std::string("nn.") + known) return known;
  return "relax." + theirs;
}

OperatorUse InsertOperation(const std::string& operation, const std::string& order,
                            const Json& functions, const Json& argument) {
  Json parameters = {{"operation", operation}, {"order", order}, {"functions", functions}};
  if (order == "before") parameters["arg"] = argument;
  return Use("graph.insert_operation", parameters);
}

// Kinds of functions that one operator of ours replaces by one another.
const std::map<std::string, std::vector<std::string>> kKinds = {
    {"graph.arithmetic", {"add", "subtract", "multiply", "divide", "maximum", "minimum", "power"}},
    {"graph.activation", {"relu", "leaky_relu", "sigmoid", "tanh", "silu", "gelu"}}};

OperatorUse ReplaceFunction(const std::string& from, const std::string& to) {
  const std::string from_word = from.substr(from.rfind('.') + 1);
  const std::string to_word = to.substr(to.rfind('.') + 1);
  for (const auto& [id, words] : kKinds) {
    auto has = [&](const std::string& word) {
      return std::find(words.begin(), words.end(), word) != words.end();
    };
    if (has(from_word) && has(to_word))
      return Use(id, {{"from", Json::array({from_word})}, {"to", Json::array({to_word})}});
  }
  return Use("graph.replace_op",
             {{"from", Json::array({"relax." + from})}, {"to", Json::array({"relax." + to})}});
}

// The tool stores elements of the new type where readers expect the old one.
OperatorUse StoreType(const std::string& dtype) {
  return TirUse("store_type", {{"to", dtype}, {"mode", "reinterpret"}});
}

OperatorUse StoreValue(char action, double value) {
  if (action == '/') value = 1 / value;
  const char* operation = action == '+' ? "plus" : action == '-' ? "minus" : "times";
  return TirUse("store_value", {{"operation", operation}, {"value", value}});
}

// Relations are spelled "LT" there, "lt" here.
Json Relations(std::string relation) {
  for (char& c : relation) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return Json::array({relation});
}

OperatorUse Relation(const std::string& from, const std::string& to) {
  return TirUse("relation", {{"from", Relations(from)}, {"to", Relations(to)}});
}

OperatorUse Threshold(const std::string& relation, const std::string& side,
                      const std::string& operation, double value) {
  return TirUse("threshold", {{"relations", Relations(relation)},
                              {"side", side},
                              {"operation", operation},
                              {"value", value}});
}

// "min" starts so many steps later, "extent" makes so many more.
OperatorUse LoopBound(bool min, int64_t by) {
  const char* change = min ? "shifted" : by < 0 ? "last_dropped" : "one_more";
  return TirUse("loop", {{"change", Json::array({change})}, {"by", min ? by : std::abs(by)}});
}

OperatorUse ThreadExtent(const std::string& thread, int64_t extent) {
  return TirUse("thread_extent", {{"thread", thread}, {"to", extent}});
}

OperatorUse ConvolutionLayout(const std::string& change) {
  return Use("graph.convolution", {{"change", Json::array({change})}});
}

// ---- The tool's side. ----

Error NotOfTheTool(const std::string& what) { return Fail(Code::kInvalidInput, what); }
Error WithoutMeaning(const std::string& why) { return Fail(Code::kUnsupported, why); }

// "tvm.tir.expr.LT" and "tir.LT" -> "LT".
std::string LastWord(const std::string& name) { return name.substr(name.rfind('.') + 1); }

Result<std::string> Text(const Json& entry, const char* key) {
  if (!entry.contains(key) || !entry.at(key).is_string())
    return NotOfTheTool(std::string("'") + key + "' is missing or no string");
  return entry.at(key).get<std::string>();
}

// Numbers stand there as numbers or as strings.
Result<double> Amount(const Json& entry, const char* key) {
  const Json value = entry.value(key, Json());
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) {
    const auto number = Json::parse(value.get<std::string>(), nullptr, false);
    if (number.is_number()) return number.get<double>();
  }
  return NotOfTheTool(std::string("'") + key + "' is missing or no number");
}

Result<ConvertedMutation> TensorOperation(const Json& entry) {
  if (!entry.contains("functions") || !entry.at("functions").is_array())
    return NotOfTheTool("'functions' is missing or no list");
  Json functions = Json::array();
  for (const Json& name : entry.at("functions"))
    functions.push_back(FunctionName(name.is_string() ? name.get<std::string>() : name.dump()));
  const std::string operation = TRY(Text(entry, "operation"));
  const std::string order = entry.value("order", "before") == "after" ? "after" : "before";
  return ConvertedMutation{
      InsertOperation(operation, order, functions, entry.value("arg", Json(0))), ""};
}

Result<ConvertedMutation> Replacement(const Json& entry) {
  const std::string from = TRY(Text(entry, "original_func_name"));
  const std::string to = TRY(Text(entry, "mutated_func_name"));
  return ConvertedMutation{ReplaceFunction(from, to),
                           "the tool counts every call for its positions; here a position is a "
                           "place where '" +
                               from + "' stands"};
}

Result<ConvertedMutation> StoredType(const Json& entry) {
  const std::string from = TRY(Text(entry, "original")), to = TRY(Text(entry, "mutation"));
  if (from != "float32") return WithoutMeaning("only stores of float32 are mutated, not " + from);
  return ConvertedMutation{StoreType(to), ""};
}

Result<ConvertedMutation> StoredValue(const Json& entry) {
  const std::string action = TRY(Text(entry, "operator"));
  const double value = TRY(Amount(entry, "modifier_value"));
  if (action.size() != 1 || std::string("+-*/").find(action) == std::string::npos ||
      (action == "/" && value == 0))
    return NotOfTheTool("'operator' is '" + action + "', not one of + - * /");
  return ConvertedMutation{StoreValue(action[0], value),
                           "the tool computes the new value and stores the old one; here the new "
                           "value is stored, as the paper says"};
}

Result<ConvertedMutation> Comparison(const Json& entry) {
  const std::string from = LastWord(TRY(Text(entry, "original")));
  const std::string to = LastWord(TRY(Text(entry, "mutation")));
  return ConvertedMutation{Relation(from, to), ""};
}

Result<ConvertedMutation> ThresholdOf(const Json& entry) {
  if (!entry.contains("op") || !entry.at("op").is_object())
    return NotOfTheTool("'op' is missing or no object");
  const Json& op = entry.at("op");
  const std::string relation = LastWord(TRY(Text(op, "condition")));
  const std::string side = TRY(Text(op, "part")), action = TRY(Text(op, "action"));
  const double amount = TRY(Amount(op, "threshold_change"));
  const std::map<std::string, std::string> actions = {
      {"add", "plus"},  {"sub", "minus"},        {"mul", "times"},
      {"div", "times"}, {"add_perc", "percent"}, {"sub_perc", "percent"}};
  const auto ours = actions.find(action);
  if (ours == actions.end() || (side != "left" && side != "right") ||
      (action == "div" && amount == 0))
    return NotOfTheTool("'op' has part '" + side + "', action '" + action + "' and amount " +
                        Json(amount).dump());
  double converted = action == "div" ? 1 / amount : amount;
  if (ours->second == "percent") converted = action == "sub_perc" ? -100 * amount : 100 * amount;
  const bool fault = side == "left" && action == "sub_perc";
  return ConvertedMutation{
      Threshold(relation, side, ours->second, converted),
      fault ? "the tool adds where it says sub_perc on the left; here it is subtracted" : ""};
}

Result<ConvertedMutation> Loop(const Json& entry) {
  const std::string boundary = TRY(Text(entry, "boundary")), action = TRY(Text(entry, "action"));
  const double amount = TRY(Amount(entry, "threshold_change"));
  if ((boundary != "min_val" && boundary != "extent") || (action != "add" && action != "subtract"))
    return NotOfTheTool("'boundary' is '" + boundary + "' and 'action' '" + action + "'");
  const auto by = static_cast<int64_t>(amount);
  if (by == 0 || static_cast<double>(by) != amount)
    return WithoutMeaning("a loop has whole bounds, so they cannot change by " +
                          Json(amount).dump());
  return ConvertedMutation{LoopBound(boundary == "min_val", action == "subtract" ? -by : by),
                           "the tool makes bounds of float32, which TVM refuses; here they stay "
                           "whole numbers"};
}

Result<ConvertedMutation> Block(const Json& entry) {
  const std::string key = TRY(Text(entry, "attr_key")), name = TRY(Text(entry, "var_name"));
  const double extent = TRY(Amount(entry, "attr_value"));
  if (key != "thread_extent") return WithoutMeaning("only thread_extent is mutated, not " + key);
  if (extent < 1) return WithoutMeaning("no thread runs at an extent of " + Json(extent).dump());
  return ConvertedMutation{ThreadExtent(name == "*" ? "any" : name, static_cast<int64_t>(extent)),
                           ""};
}

// {"nn.conv2d": ["NHWC", "default"]}: of the data, then of the kernel.
Result<ConvertedMutation> LayoutOf(const Json& entry) {
  const Json layouts = entry.value("transformations", Json::object()).value("nn.conv2d", Json());
  if (!layouts.is_array() || layouts.empty())
    return WithoutMeaning("only layouts of nn.conv2d are mutated");
  if (layouts[0] != "NHWC")
    return WithoutMeaning("only NHWC is another layout than ours, not " + layouts[0].dump());
  return ConvertedMutation{ConvolutionLayout("layout"),
                           "the tool lays the values out anew, which changes none, and saves "
                           "nothing; here they are read as they lie"};
}

using Rule = Result<ConvertedMutation> (*)(const Json& entry);
const std::map<std::string, Rule> kRules = {{"apply_tensor_operation", TensorOperation},
                                            {"replace_func", Replacement},
                                            {"change_type", StoredType},
                                            {"change_store_value", StoredValue},
                                            {"change_ifstmt", Comparison},
                                            {"change_threshold", ThresholdOf},
                                            {"change_loop_threshold", Loop},
                                            {"change_block", Block},
                                            {"change_layout", LayoutOf}};

}  // namespace

Result<ConvertedMutation> ConvertToolMutation(const Json& entry) {
  if (!entry.is_object()) return NotOfTheTool("is no object");
  const std::string type = TRY(Text(entry, "type"));
  if (const auto rule = kRules.find(type); rule != kRules.end()) return rule->second(entry);
  return NotOfTheTool("'type' is '" + type + "', which the tool does not have");
}

const Json& ToolMutations() {
  static const Json mutations = Json::parse(kToolMutations);
  return mutations;
}

std::vector<OperatorUse> PaperUses() {
  std::vector<OperatorUse> uses;
  for (const char* level : {"relay", "tir"}) {
    for (const Json& entry : ToolMutations().at(level)) {
      Result<ConvertedMutation> converted = ConvertToolMutation(entry);
      CHECK(converted.ok(), DumpJson(entry));
      converted->use.positions = "\"all\"";
      uses.push_back(converted->use);
    }
  }
  return uses;
}

}  // namespace mutatenn
