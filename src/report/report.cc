// The registry of reports and what they share: writing text, and what the meta table says.
#include "report/report.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "base/files.h"
#include "base/json.h"

namespace mutatenn {
namespace {

// Made on first use: reports register before main, in no known order.
std::vector<Report>& Registry() {
  static std::vector<Report> reports;
  return reports;
}

}  // namespace

RegisterReport::RegisterReport(Report report) { Registry().push_back(std::move(report)); }

std::vector<const Report*> AllReports() {
  std::vector<const Report*> reports;
  for (const Report& report : Registry()) reports.push_back(&report);
  std::sort(reports.begin(), reports.end(),
            [](const Report* a, const Report* b) { return a->name < b->name; });
  return reports;
}

const Report* FindReport(const std::string& name) {
  for (const Report* report : AllReports()) {
    if (report->name == name) return report;
  }
  return nullptr;
}

Status WriteText(const std::string& destination, std::string_view text) {
  if (destination != "-") return WriteFile(destination, text);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return Fail(Code::kIo, "cannot write standard output: ", std::strerror(errno));
  }
  return Ok();
}

std::string VerdictsText(const CampaignView& view, const MutantView& mutant) {
  std::string text;
  for (size_t d = 0; d < view.devices.size(); ++d) {
    text += fmt::format("{}{}: {}", d ? ", " : "", view.devices[d].name,
                        VerdictName(mutant.devices[d].judgement.verdict));
  }
  return text;
}

std::string OptimisationLevel(const CampaignView& view) {
  if (const std::string* level = view.Meta("level")) return *level;
  if (const std::string* config = view.Meta("config")) {
    Result<Json> parsed = ParseJson(*config, "config");
    if (parsed.ok() && parsed->is_object() && parsed->contains("level") &&
        (*parsed)["level"].is_number_integer()) {
      return std::to_string((*parsed)["level"].get<int>());
    }
  }
  return "3";  // the configuration's default
}

}  // namespace mutatenn
