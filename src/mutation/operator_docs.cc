// The registry into a table, Markdown and JSON.
#include "mutation/operator_docs.h"

#include <fmt/format.h>

#include <algorithm>

#include "mutation/operator.h"

namespace mutatenn {
namespace {

constexpr const char* kHeader = R"(# Mutation operators

Generated from the registry; `tools/update-docs` writes it anew. An operator is named in a
campaign's `operators` by its id, with its parameters beside it. Without `positions` it makes one mutant
for each of its mutation points; with `positions` it makes one mutant that has all the points picked:

| `positions` | points picked, of the operator's points in program order, numbered from 0 |
|---|---|
| `"all"` | every point |
| `"start"`, `"end"` | the first, the last |
| `[3, 7]` | the fourth and the eighth; a number beyond the last point is an error |
| `"20%"` | a fifth of the points (rounded, at least one), evenly spread, the first among them |

Where a node has several replacements, `positions` takes the first of them.

| operator | level | category | source | summary |
|---|---|---|---|---|
)";

std::string TypeOf(const ParameterSpec& spec) {
  return spec.allowed.empty() ? spec.type
                              : fmt::format("{}: {}", spec.type, fmt::join(spec.allowed, ", "));
}

std::string ParameterRow(const ParameterSpec& spec) {
  return fmt::format("| `{}` | {} | {} | {} |\n", spec.name, TypeOf(spec),
                     spec.fallback.is_null() ? "(required)" : "`" + DumpJson(spec.fallback) + "`",
                     spec.doc);
}

// Of the operator's own heading.
std::string Anchor(std::string id) {
  std::erase(id, '.');
  return id;
}

}  // namespace

std::string OperatorsTable() {
  size_t id_width = 8, category_width = 8;
  for (const MutationOperator* op : AllOperators()) {
    id_width = std::max(id_width, op->id.size());
    category_width = std::max(category_width, op->category.size());
  }
  std::string text = fmt::format("{:{}}  {:{}}  {}\n", "OPERATOR", id_width, "CATEGORY",
                                 category_width, "SUMMARY");
  for (const MutationOperator* op : AllOperators()) {
    text += fmt::format("{:{}}  {:{}}  {}\n", op->id, id_width, op->category, category_width,
                        op->summary);
    for (const ParameterSpec& spec : op->parameters)
      text += fmt::format(
          "{:{}}    {} ({}, {}): {}\n", "", id_width + category_width, spec.name, TypeOf(spec),
          spec.fallback.is_null() ? "required" : "default " + DumpJson(spec.fallback), spec.doc);
  }
  return text;
}

std::string OperatorsMarkdown() {
  std::string text = kHeader;
  for (const MutationOperator* op : AllOperators())
    text += fmt::format("| [`{}`](#{}) | {} | {} | {} | {} |\n", op->id, Anchor(op->id),
                        LevelName(op->level()), op->category, op->source, op->summary);
  for (const MutationOperator* op : AllOperators()) {
    text += fmt::format("\n## {}\n\n{} Category: {}. Source: {}.\n\n{}\n", op->id, op->summary,
                        op->category, op->source, op->doc);
    if (op->parameters.empty()) continue;
    text += "\n| parameter | type | default | meaning |\n|---|---|---|---|\n";
    for (const ParameterSpec& spec : op->parameters) text += ParameterRow(spec);
  }
  return text;
}

Json OperatorsJson() {
  Json operators = Json::array();
  for (const MutationOperator* op : AllOperators()) {
    Json parameters = Json::array();
    for (const ParameterSpec& spec : op->parameters)
      parameters.push_back({{"name", spec.name},
                            {"type", spec.type},
                            {"default", spec.fallback},
                            {"allowed", spec.allowed},
                            {"doc", spec.doc}});
    operators.push_back({{"id", op->id},
                         {"level", LevelName(op->level())},
                         {"category", op->category},
                         {"source", op->source},
                         {"summary", op->summary},
                         {"doc", op->doc},
                         {"parameters", parameters}});
  }
  return operators;
}

}  // namespace mutatenn
