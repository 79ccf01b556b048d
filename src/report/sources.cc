// Diffs to the files that they are of.
#include "report/sources.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

namespace mutatenn {
namespace {

// How many lines of the old and the new text a hunk holds, and its first old line.
struct Hunk {
  int line = 1, old_left = 1, new_left = 1;
};
Hunk HunkOf(const std::string& head) {
  Hunk hunk;
  int fresh = 0;
  const char* at = head.c_str();
  if (std::sscanf(at, "@@ -%d,%d +%d,%d", &hunk.line, &hunk.old_left, &fresh, &hunk.new_left) >= 2)
    return hunk;
  std::sscanf(at, "@@ -%d +%d,%d", &hunk.line, &fresh, &hunk.new_left);
  return hunk;
}

// The files that a diff is of, and what it changes in them. `file`: the index of a title's source,
// made when new.
template <class FileOf>
std::vector<Edit> ReadDiff(const std::string& diff, Sources& sources, const FileOf& file) {
  std::vector<Edit> edits;
  std::optional<size_t> source;
  Hunk hunk{1, 0, 0};
  bool changing = false;  // the last line was changed too
  for (size_t from = 0; from < diff.size();) {
    size_t to = std::min(diff.find('\n', from), diff.size());
    std::string line = diff.substr(from, to - from);
    from = to + 1;
    bool inside = hunk.old_left > 0 || hunk.new_left > 0;
    if (!inside && line.starts_with("--- ")) source = file(line.substr(4));
    if (!inside && line.starts_with("@@ -")) hunk = HunkOf(line);
    if (!inside || !source || line.empty()) {
      changing = false;
      continue;
    }
    if (line[0] == '-' || line[0] == '+') {
      if (!changing) edits.push_back({*source, hunk.line, 0, {}});
      changing = true;
    } else {
      changing = false;
    }
    if (line[0] == '+') {
      edits.back().added.push_back(line.substr(1));
      --hunk.new_left;
      continue;
    }
    sources.files[*source].lines.emplace(hunk.line++, line.substr(1));
    --hunk.old_left;
    if (line[0] == '-') {
      ++edits.back().removed;
    } else {
      --hunk.new_left;
    }
  }
  return edits;
}

// From the first to the last edit of the first file.
Change ChangeOf(const std::vector<Edit>& edits, const Source& source) {
  Change change;
  bool first = true;
  for (const Edit& edit : edits) {
    if (edit.source != edits.front().source) break;
    int last = edit.line + std::max(0, edit.removed - 1);
    auto text = source.lines.find(edit.line);
    if (first && edit.removed > 0 && text != source.lines.end()) {
      size_t indent = std::min(text->second.find_first_not_of(' '), text->second.size());
      change.column = static_cast<int>(indent) + 1;
    }
    if (first) change.line = edit.line;
    first = false;
    change.end_line = last;
    text = source.lines.find(last);
    bool known = edit.removed > 0 && text != source.lines.end();
    change.end_column = known ? static_cast<int>(text->second.size()) + 1 : 1;
    for (const std::string& line : edit.added) change.replacement += line + "\n";
  }
  return change;
}

// "kernel ROLE KEY" with the first digits of the key: unique within a model, and short.
std::string ShortTitle(const std::string& title) {
  size_t key = title.rfind(' ');
  bool kernel = title.starts_with("kernel ") && key != std::string::npos;
  return kernel ? title.substr(0, std::min(title.size(), key + 9)) : title;
}

}  // namespace

std::string Source::Text() const {
  std::string text;
  int next = 1;
  for (const auto& [number, line] : lines) {
    if (number > next) {
      text += fmt::format("# (lines {} to {} are in no diff)\n", next, number - 1);
      text.append(static_cast<size_t>(number - next - 1), '\n');
    }
    text += line + "\n";
    next = number + 1;
  }
  return text;
}

Result<Sources> SourcesOf(const CampaignView& view, const ModelView& model) {
  std::unordered_map<std::string, size_t> index;
  for (const MutantView& mutant : model.mutants) index.emplace(mutant.stored.id, index.size());
  std::set<int> targets;
  for (const StoredDevice& device : view.devices) targets.insert(device.target_index);
  Sources sources;
  std::map<std::string, size_t> named;
  TRY(view.store->EachBuild(model.stored.name, [&](const StoredBuild& build) -> Status {
    auto mutant = index.find(build.mutant);
    if (mutant == index.end() || build.diff.empty()) return Ok();
    if (sources.edits.count(mutant->second)) return Ok();  // another target's
    auto file = [&](const std::string& title) {
      std::string name = ShortTitle(title);
      // Schedules, and so lines, differ between targets; the graph does not.
      if (targets.size() > 1 && title != "graph")
        name += fmt::format(" (target {})", build.target_index);
      auto [found, fresh] = named.emplace(name, sources.files.size());
      if (fresh) sources.files.push_back({name, {}, {}});
      return found->second;
    };
    sources.edits[mutant->second] = ReadDiff(build.diff, sources, file);
    return Ok();
  }));
  Source rest{"not printed", {}, {}};
  for (size_t mutant = 0; mutant < model.mutants.size(); ++mutant) {
    auto edits = sources.edits.find(mutant);
    if (edits == sources.edits.end() || edits->second.empty()) {
      rest.mutants[mutant] = {};
      continue;
    }
    Source& source = sources.files[edits->second.front().source];
    source.mutants[mutant] = ChangeOf(edits->second, source);
  }
  // By name, which does not depend on the order of ids.
  std::vector<Source> sorted;
  std::vector<size_t> place(sources.files.size());
  for (const auto& [name, at] : named) {
    place[at] = sorted.size();
    sorted.push_back(std::move(sources.files[at]));
  }
  for (auto& [mutant, edits] : sources.edits) {
    for (Edit& edit : edits) edit.source = place[edit.source];
  }
  if (!rest.mutants.empty()) sorted.push_back(std::move(rest));
  sources.files = std::move(sorted);
  return sources;
}

}  // namespace mutatenn
