// Mutants as table rows, their edits and runs as compact JSON, and the printed kernels with what
// became of the mutants of each line.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/base64.h"
#include "report/html_parts.h"
#include "report/thumbnails.h"

namespace mutatenn::html {
namespace {

std::string Option(const std::string& value, const std::string& text) {
  return fmt::format("<option value=\"{}\">{}</option>", MarkupText(value), MarkupText(text));
}

const char* VerdictText(const MutantView& mutant, Verdict verdict) {
  return mutant.mark && verdict == Verdict::kSurvived ? "marked" : VerdictName(verdict);
}

std::string Controls(const CampaignView& view, const ModelView& model) {
  std::string operators = Option("", "all"), verdicts = operators,
              devices = Option("-1", "any device");
  std::set<std::string> used;
  for (const MutantView& mutant : model.mutants) {
    for (const DeviceResult& result : mutant.devices)
      used.insert(VerdictText(mutant, result.judgement.verdict));
  }
  for (const Group& group : ByOperator(model)) operators += Option(group.name, group.name);
  for (const std::string& verdict : used) verdicts += Option(verdict, verdict);
  for (size_t d = 0; d < view.devices.size(); ++d)
    devices += Option(std::to_string(d), view.devices[d].name);
  return "<div class=\"controls\" hidden><form><label>Search<input name=\"search\" "
         "type=\"search\"></label><label>Operator<select name=\"op\">" +
         operators + "</select></label><label>Verdict<select name=\"verdict\">" + verdicts +
         "</select></label><label>on<select name=\"device\">" + devices +
         "</select></label></form><p><output></output> <button type=\"button\" class=\"more\">Show "
         "all</button></p></div>\n<div class=\"detail\" tabindex=\"-1\" "
         "hidden></div>\n";
}

// Two bits an image: 0 not run, 1 not killed, 2 killed, 3 crash or timeout; base64. "" = none ran.
std::string Runs(const ModelView& model, const DeviceResult& result) {
  if (result.outcomes.empty()) return "";
  std::string bytes((model.images.size() + 3) / 4, 0);
  for (const Outcome& outcome : result.outcomes) {
    unsigned code = outcome.ending != Ending::kOk ? 3 : outcome.kills ? 2 : 1;
    auto image = static_cast<size_t>(outcome.image);
    bytes[image / 4] = static_cast<char>(bytes[image / 4] | code << (2 * (image % 4)));
  }
  return ToBase64(bytes);
}

// A line that replaces another one: [equal characters in front, at the end, what is between]. Only
// of ASCII lines: scripts count other characters in other units.
Json Shortened(const std::string& old_line, const std::string& line) {
  auto ascii = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 128; });
  };
  if (!ascii(old_line) || !ascii(line)) return line;
  size_t shorter = std::min(old_line.size(), line.size()), front = 0, end = 0;
  while (front < shorter && old_line[front] == line[front]) ++front;
  while (end < shorter - front &&
         old_line[old_line.size() - 1 - end] == line[line.size() - 1 - end])
    ++end;
  if (front + end < 12) return line;
  return Json::array({front, end, line.substr(front, line.size() - front - end)});
}

Json EditsJson(const std::vector<Edit>& edits, const Sources& sources) {
  Json list = Json::array();
  for (const Edit& edit : edits) {
    Json added = Json::array();
    for (size_t i = 0; i < edit.added.size(); ++i) {
      auto old_line = sources.files[edit.source].lines.find(edit.line + static_cast<int>(i));
      bool known =
          static_cast<int>(i) < edit.removed && old_line != sources.files[edit.source].lines.end();
      added.push_back(known ? Shortened(old_line->second, edit.added[i]) : Json(edit.added[i]));
    }
    list.push_back(Json::array({edit.source, edit.line, edit.removed, added}));
  }
  return list;
}

// "<" begins an end of the script element, whatever it stands in.
std::string ForScript(const Json& json) {
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace), safe;
  for (char c : text) safe += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return safe;
}

}  // namespace

std::string Mutants(const CampaignView& view, const ModelView& model) {
  std::string head = "<th>mutant</th><th>operator</th><th>place</th>", rows;
  for (const StoredDevice& device : view.devices)
    head += "<th>" + MarkupText(device.name) + "</th>";
  for (const MutantView& mutant : model.mutants) {
    // The script makes links of the ids; without it there is nothing to open.
    rows += "<tr\n><td>" + mutant.stored.id + "<td>" + MarkupText(mutant.stored.op_id) + "<td>" +
            MarkupText(mutant.stored.place);
    for (const DeviceResult& result : mutant.devices) {
      std::string_view verdict = VerdictText(mutant, result.judgement.verdict);
      rows += fmt::format("<td class={}>{}", verdict.substr(0, 2), verdict);
    }
  }
  return Controls(view, model) + Table("Mutants and their verdicts", head, rows);
}

std::string MutantData(const CampaignView& view, const ModelView& model, const Sources& sources,
                       size_t limit) {
  Json devices = Json::array(), images = Json::array(), files = Json::array();
  for (const StoredDevice& device : view.devices) devices.push_back(device.name);
  for (const StoredImage& image : model.images) images.push_back(image.name);
  std::vector<Json> mutants;
  size_t size = 0;
  // "0.0123 from conv1 on": how far the output went and where it began, by device.
  auto spread = [](const DeviceResult& result) {
    double largest = 0;
    bool infected = false;
    for (const Outcome& outcome : result.outcomes) {
      infected |= outcome.infected;
      largest = std::isnan(outcome.max_abs_diff) ? outcome.max_abs_diff
                                                 : std::max(largest, outcome.max_abs_diff);
    }
    if (!infected) return std::string();
    return fmt::format("output off by at most {:.3g}{}", largest,
                       result.first_diverging_layer && !result.first_diverging_layer->empty()
                           ? ", from " + *result.first_diverging_layer + " on"
                           : "");
  };
  for (const MutantView& mutant : model.mutants) {
    Json runs = Json::array();
    std::string before;
    for (const DeviceResult& result : mutant.devices) {
      std::string code = Runs(model, result);
      runs.push_back(!before.empty() && code == before ? "=" : code);
      before = code;
      size += runs.back().get_ref<const std::string&>().size() + 3;
    }
    mutants.push_back({{"f", runs}});
    size += 20;
  }
  auto take = [&](const Json& json) {
    size_t more = json.dump(-1, ' ', false, Json::error_handler_t::replace).size() + 6;
    if (size + more > limit) return false;
    size += more;
    return true;
  };
  for (const Source& source : sources.files) {
    Json lines = Json::object();
    for (const auto& [number, line] : source.lines) {
      if (take(line)) lines[std::to_string(number)] = line;
    }
    files.push_back({{"name", source.name}, {"lines", lines}});
  }
  // What people look for first comes first, while there is room.
  for (bool survivors : {true, false}) {
    for (size_t i = 0; i < mutants.size(); ++i) {
      const MutantView& mutant = model.mutants[i];
      if ((OverallVerdict(mutant) == Verdict::kSurvived) != survivors) continue;
      Json reasons = Json::array();
      std::string before;
      for (const DeviceResult& result : mutant.devices) {
        const std::string& reason = result.judgement.reason;
        const std::string off = spread(result);
        const std::string said = reason + (off.empty() ? "" : " (" + off + ")");
        reasons.push_back(!before.empty() && said == before ? "=" : said);
        before = said;
      }
      if (take(reasons)) mutants[i]["r"] = std::move(reasons);
      auto edits = sources.edits.find(i);
      if (edits == sources.edits.end()) continue;
      Json json = EditsJson(edits->second, sources);
      if (take(json)) mutants[i]["e"] = std::move(json);
    }
  }
  std::string text = "{\"devices\":" + ForScript(devices) + ",\"images\":" + ForScript(images) +
                     ",\"sources\":" + ForScript(files) + ",\"mutants\":[";
  for (size_t i = 0; i < mutants.size(); ++i) text += (i ? ",\n" : "\n") + ForScript(mutants[i]);
  return text + "]}";
}

std::string Kernels(const ModelView& model, const Sources& sources, size_t number) {
  std::string text;
  for (size_t s = 0; s < sources.files.size(); ++s) {
    const Source& source = sources.files[s];
    if (source.lines.empty()) continue;
    std::map<int, std::map<std::string, int>> at;  // line -> verdict -> mutants
    for (const auto& [mutant, change] : source.mutants)
      ++at[change.line][VerdictName(OverallVerdict(model.mutants[mutant]))];
    std::string lines;
    int next = 1;
    for (const auto& [line, content] : source.lines) {
      if (line > next)
        lines += fmt::format(
            "<span class=\"soft\">... lines {} to {} are in no "
            "diff</span>\n",
            next, line - 1);
      next = line + 1;
      auto mutants = at.find(line);
      std::string code = MarkupText(content);
      if (mutants == at.end()) {
        lines += code + "\n";
        continue;
      }
      std::string said;
      for (const auto& [verdict, count] : mutants->second)
        said += fmt::format("{}{} {}", said.empty() ? "" : ", ", count, verdict);
      const char* kind = mutants->second.count("survived") ? "survived" : "killed";
      // Before the line: its end may be far to the right.
      lines += fmt::format("<span class=\"m {}\"><b># {}</b>\n{}</span>", kind, said, code);
    }
    text += fmt::format(
        "<details id=\"s-{}-{}\"><summary>{}: {} mutants</summary><pre tabindex=\"0\">"
        "{}</pre></details>\n",
        number, s, MarkupText(source.name), source.mutants.size(), lines);
  }
  return text.empty() ? "<p class=\"soft\">No diff was stored.</p>" : text;
}

}  // namespace mutatenn::html
