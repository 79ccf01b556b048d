// `mutatenn operators`: the registry as a table, as docs/operators.md, or as JSON.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/subcommand.h"
#include "mutation/operator.h"

namespace mutatenn {
namespace {

std::string ParameterText(const ParameterSpec& parameter) {
  std::string text = fmt::format("{} ({}", parameter.name, parameter.type);
  if (!parameter.allowed.empty()) text += fmt::format(": {}", fmt::join(parameter.allowed, ", "));
  text += parameter.fallback.is_null() ? ", required" : ", default " + DumpJson(parameter.fallback);
  return text + ")";
}

std::string Table() {
  size_t id = 2, category = 8;
  for (const MutationOperator* op : AllOperators()) {
    id = std::max(id, op->id.size());
    category = std::max(category, op->category.size());
  }
  std::string text =
      fmt::format("{:{}}  {:{}}  {}\n", "OPERATOR", id, "CATEGORY", category, "SUMMARY");
  for (const MutationOperator* op : AllOperators()) {
    text += fmt::format("{:{}}  {:{}}  {}\n", op->id, id, op->category, category, op->summary);
    for (const ParameterSpec& parameter : op->parameters) {
      text += fmt::format("{:{}}    {}: {}\n", "", id + category, ParameterText(parameter),
                          parameter.doc);
    }
  }
  return text;
}

std::string Markdown() {
  std::string text =
      "# Mutation operators\n\n"
      "Written by `mutatenn operators --format markdown`; do not edit.\n\n"
      "| operator | level | category | source | summary |\n|---|---|---|---|---|\n";
  for (const MutationOperator* op : AllOperators()) {
    text += fmt::format(
        "| [`{}`](#{}) | {} | {} | {} | {} |\n", op->id,
        [&] {
          std::string anchor = op->id;
          anchor.erase(std::remove(anchor.begin(), anchor.end(), '.'), anchor.end());
          return anchor;
        }(),
        LevelName(op->level()), op->category, op->source, op->summary);
  }
  for (const MutationOperator* op : AllOperators()) {
    text += fmt::format("\n## {}\n\n{}\n\n{}\n", op->id, op->summary, op->doc);
    if (op->parameters.empty()) continue;
    text += "\n| parameter | type | default | meaning |\n|---|---|---|---|\n";
    for (const ParameterSpec& parameter : op->parameters) {
      std::string type = parameter.type;
      if (!parameter.allowed.empty())
        type += fmt::format(": {}", fmt::join(parameter.allowed, ", "));
      text += fmt::format(
          "| `{}` | {} | {} | {} |\n", parameter.name, type,
          parameter.fallback.is_null() ? "(required)" : "`" + DumpJson(parameter.fallback) + "`",
          parameter.doc);
    }
  }
  return text;
}

std::string AsJson() {
  Json list = Json::array();
  for (const MutationOperator* op : AllOperators()) {
    Json parameters = Json::array();
    for (const ParameterSpec& parameter : op->parameters) {
      parameters.push_back(Json{{"name", parameter.name},
                                {"type", parameter.type},
                                {"default", parameter.fallback},
                                {"allowed", parameter.allowed},
                                {"doc", parameter.doc}});
    }
    list.push_back(Json{{"id", op->id},
                        {"level", LevelName(op->level())},
                        {"category", op->category},
                        {"source", op->source},
                        {"summary", op->summary},
                        {"doc", op->doc},
                        {"parameters", parameters}});
  }
  return list.dump(2) + "\n";
}

class OperatorsCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("--format", format_, "table, markdown or json")
        ->check(CLI::IsMember({"table", "markdown", "json"}))
        ->capture_default_str();
  }
  Result<int> Run(const GlobalOptions&) override {
    std::string text = format_ == "json" ? AsJson() : format_ == "markdown" ? Markdown() : Table();
    std::fputs(text.c_str(), stdout);
    return 0;
  }

 private:
  std::string format_ = "table";
};

SUBCOMMAND(OperatorsCommand, .name = "operators", .order = 6,
           .summary = "List the mutation operators");

}  // namespace
}  // namespace mutatenn
