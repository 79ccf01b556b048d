// Times of the original and every mutant on every device as CSV: one row a pair of devices, with
// what the times are like, whether they differ, and by how much; one row where one device ran it.
#include <fmt/format.h>

#include "analysis/anova.h"
#include "analysis/times.h"
#include "report/report.h"
#include "report/text_file.h"

namespace mutatenn {
namespace {

constexpr double kSignificance = 0.05;
constexpr size_t kColumns = 19;

std::string Cell(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : "";
}

// Seconds of the runs that gave an output, by device.
using Times = std::vector<std::vector<double>>;

void AddVariant(const std::string& model, const std::string& variant, const Times& times,
                const CampaignView& view, TextFile& file) {
  Times measured;
  for (const auto& seconds : times) {
    if (!seconds.empty()) measured.push_back(seconds);
  }
  std::optional<Anova> anova = OneWayAnova(measured);
  std::optional<double> eta = measured.size() > 1 ? EtaSquared(measured) : std::nullopt;
  std::vector<std::pair<size_t, size_t>> pairs;
  std::vector<std::optional<double>> p_values;
  for (size_t a = 0; a < times.size(); ++a) {
    for (size_t b = a + 1; b < times.size(); ++b) {
      if (times[a].empty() || times[b].empty()) continue;
      std::optional<WelchTest> test = WelchTTest(times[a], times[b]);
      pairs.emplace_back(a, b);
      p_values.push_back(test ? std::optional(test->p_value) : std::nullopt);
    }
  }
  const auto cells = [&](size_t device) -> std::vector<std::string> {
    TimeSummary summary = *SummariseTimes(times[device]);
    return {std::to_string(summary.count), Cell(summary.mean), Cell(summary.median),
            Cell(summary.deviation)};
  };
  if (measured.size() == 1) {  // nothing to compare with
    size_t only = 0;
    while (times[only].empty()) ++only;
    std::vector<std::string> row = {model, variant, view.devices[only].name, ""};
    for (std::string& cell : cells(only)) row.push_back(std::move(cell));
    row.resize(kColumns);
    file.Append(CsvLine(row));
  }
  std::vector<std::optional<double>> adjusted = HolmAdjusted(p_values);
  for (size_t i = 0; i < pairs.size(); ++i) {
    auto [a, b] = pairs[i];
    std::vector<std::string> row = {model, variant, view.devices[a].name, view.devices[b].name};
    for (size_t device : {a, b})
      for (std::string& cell : cells(device)) row.push_back(std::move(cell));
    row.push_back(Cell(anova ? std::optional(anova->statistic) : std::nullopt));
    row.push_back(Cell(anova ? std::optional(anova->p_value) : std::nullopt));
    row.push_back(Cell(eta));
    row.push_back(Cell(p_values[i]));
    row.push_back(Cell(adjusted[i]));
    row.push_back(Cell(CohenD(times[a], times[b])));
    row.emplace_back(!adjusted[i] ? "" : *adjusted[i] < kSignificance ? "yes" : "no");
    file.Append(CsvLine(row));
  }
}

Status WriteTimes(const CampaignView& view, const std::string& destination) {
  TextFile file = TRY(TextFile::Open(destination));
  file.Append(
      "model,mutant,device1,device2,n1,mean1,median1,deviation1,n2,mean2,median2,deviation2,"
      "anova_f,anova_p,eta_squared,welch_p,holm_p,cohen_d,significant\n");
  for (const ModelView& model : view.models) {
    Times times(view.devices.size());
    for (size_t d = 0; d < times.size(); ++d) {
      for (const auto& original : model.originals[d]) {
        if (original) times[d].push_back(original->seconds);
      }
    }
    AddVariant(model.stored.name, "original", times, view, file);
    for (const MutantView& mutant : model.mutants) {
      for (size_t d = 0; d < times.size(); ++d) {
        times[d].clear();
        for (const Outcome& outcome : mutant.devices[d].outcomes) {
          if (outcome.ending == Ending::kOk) times[d].push_back(outcome.seconds);
        }
      }
      AddVariant(model.stored.name, mutant.stored.id, times, view, file);
    }
  }
  return file.Close();
}

REPORT(.name = "times",
       .summary = "times of every mutant, pairs of devices compared, CSV; a file or -",
       .write = WriteTimes);

}  // namespace
}  // namespace mutatenn
