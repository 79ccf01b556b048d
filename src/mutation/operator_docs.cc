// The registry into a table, Markdown and JSON.
#include "mutation/operator_docs.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/files.h"
#include "mutation/operator.h"

namespace mutatenn {
namespace {

constexpr const char* kHeader = R"(# Mutation operators

Generated from the registry; `tools/update-docs` writes it anew. An operator is named in a
campaign's `operators` by its id, alone or as an object with its parameters beside it:

    "operators": ["default", "code.relation", { "id": "code.store_value", "value": 0.5, "positions": "all" },
                  { "preset": "all", "include": ["graph.*"], "exclude": ["graph.dense_input"] }]

A preset stands for several: `default` (one strong, cheap representative of each operator), `paper` (the
original tool's list, each at all its points at once), `all`, a level (`graph`, `code`, `lowered`, `build`) or a
category of the table below. `include` and `exclude` hold ids or patterns.

Without `positions` an operator makes one mutant for each of its mutation points; with `positions` it
makes one mutant that has all the points picked:

| `positions` | points picked, of the operator's points in program order, numbered from 0 |
|---|---|
| `"all"` | every point |
| `"start"`, `"end"` | the first, the last |
| `"2-5"`, `"2-"` | the third to the sixth, the third and all after it |
| `[3, "5-7"]` | those; a number beyond the last point is an error |
| `"20%"` | a fifth of the points (rounded, at least one), evenly spread, the first among them |
| `{"per_kernel": "all"}` | any of the above within each kernel: one mutant for each of them (at level graph, for each of Relax's operators) |

Where a node has several replacements, `positions` takes the first of them.

`"scope": "kernel"` (the default) mutates a kernel, and so every step that calls it; `"scope": "step"`
mutates one step, which gets a copy of the kernel. At the other levels there is nothing to choose.

## Operators on the compiler

Those of level build leave the network alone and run the compiler in another way, for one kernel at a time. Most
mutants survive, so `default` has hardly any: they ask about the compiler, and outputs that differ by more than
rounding are listed as findings (`compiler_findings` in [results.md](results.md)), whatever the verdict.

## Your own operators

`{ "id": "python", "file": "ops.py" }` uses a file of yours, named relative to the configuration:

```python
LEVEL = "graph"            # or "code"

def points(mod): ...       # a list of mutation points of the module
def apply(mod, point): ... # the module with that point mutated, and nothing else
```

At level graph `mod["main"]` is the network in Relax as you know it, before anything is lowered, and a point
is the name of a variable; at level code it is one kernel, and a point is the name of a block. A point may be a
dict with that name as `"at"` and whatever else `apply` needs. At level code `apply` gets the kernel as it was
scheduled for a target, where a block's parts may be called `NAME_init` and `NAME_update`.
`python/mutatenn/operators.py` has helpers (`bindings`, `replace_binding`, `blocks`, `map_block`),
`examples/custom-operator` one operator of each level. The file is run by `build` only; a mutant's id comes
from the file's content. A mutant that changes nothing, or more than its point, is stillborn, with the reason.

## The list

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

constexpr size_t kExcerptLines = 6;  // of each, removed and added

// The first difference that the operator's golden records; "" where it records none.
std::string Excerpt(const std::string& goldens, const MutationOperator& op) {
  auto golden = ReadFile(goldens + "/" + op.id + ".golden");
  if (!golden.ok()) return "";
  std::istringstream lines(*golden);
  std::string removed, added;
  size_t count[2] = {0, 0};
  bool in_point = false;
  for (std::string line; std::getline(lines, line);) {
    const bool minus = line.starts_with("- "), plus = line.starts_with("+ ");
    if (line.starts_with("{")) {
      if (in_point && !removed.empty()) break;
      in_point = true;
    }
    if (!in_point || (!minus && !plus)) continue;
    if (++count[plus] <= kExcerptLines) (plus ? added : removed) += line + "\n";
    if (count[plus] == kExcerptLines + 1) (plus ? added : removed) += plus ? "+ ...\n" : "- ...\n";
  }
  return removed.empty() && added.empty() ? "" : "\n```diff\n" + removed + added + "```\n";
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

std::string OperatorsMarkdown(const std::string& goldens) {
  std::string text = kHeader;
  for (const MutationOperator* op : AllOperators())
    text += fmt::format("| [`{}`](#{}) | {} | {} | {} | {} |\n", op->id, Anchor(op->id),
                        LevelName(op->level()), op->category, op->source, op->summary);
  for (const MutationOperator* op : AllOperators()) {
    text += fmt::format("\n## {}\n\n{} Category: {}. Source: {}.\n\n{}\n", op->id, op->summary,
                        op->category, op->source, op->doc);
    if (!goldens.empty()) text += Excerpt(goldens, *op);
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
