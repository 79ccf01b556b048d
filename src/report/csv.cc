// Every fate that was judged as one row of CSV, streamed from the store.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "analysis/metrics.h"
#include "analysis/severity.h"
#include "judge/top_json.h"
#include "report/fate_table.h"
#include "report/report.h"
#include "report/text_file.h"

namespace mutatenn {
namespace {

std::string Number(double value) { return std::isnan(value) ? "nan" : fmt::format("{}", value); }

std::string Label(const std::vector<Ranked>& top) {
  return top.empty() ? "" : std::to_string(top.front().label);
}

class Writer {
 public:
  Writer(const ModelView& model, TextFile& file, const CampaignView& view)
      : model_(model), file_(file) {
    for (size_t i = 0; i < model.images.size(); ++i) images_.emplace(model.images[i].name, i);
    for (size_t i = 0; i < view.devices.size(); ++i) devices_.emplace(view.devices[i].name, i);
    for (const MutantView& mutant : model.mutants) mutants_.emplace(mutant.stored.id, &mutant);
  }

  Status Write(const StoredFate& row) {
    auto mutant = mutants_.find(row.mutant);
    auto device = devices_.find(row.device);
    auto image = images_.find(row.image);
    if (mutant == mutants_.end() || device == devices_.end() || image == images_.end()) return Ok();
    const DeviceResult& result = mutant->second->devices[device->second];
    auto index = static_cast<int32_t>(image->second);
    auto outcome = std::lower_bound(result.outcomes.begin(), result.outcomes.end(), index,
                                    [](const Outcome& a, int32_t b) { return a.image < b; });
    if (outcome == result.outcomes.end() || outcome->image != index) return Ok();  // not judged
    std::vector<Ranked> top = TRY(TopFromText(row.top_json, "the stored fate of " + row.mutant));
    const OriginalResult& original = *model_.originals[device->second][image->second];
    const StoredImage& stored = model_.images[image->second];
    const StoredMutant& of = mutant->second->stored;
    file_.Append(CsvLine({row.model,
                          row.mutant,
                          of.op_id,
                          of.category,
                          row.device,
                          row.image,
                          stored.truth < 0 ? "" : std::to_string(stored.truth),
                          row.ending,
                          Label(original.top),
                          Label(top),
                          outcome->kills ? "1" : "0",
                          EffectName(EffectOf(model_, device->second, result, *outcome)),
                          row.infected ? "1" : "0",
                          std::to_string(row.dirty_steps),
                          row.first_step,
                          row.first_layer,
                          row.nonfinite ? "1" : "0",
                          Number(row.max_abs_diff),
                          AgainstFloor(device->second, row.max_abs_diff),
                          top.empty() ? "" : Number(Margin(top)),
                          Number(row.seconds),
                          row.detail,
                          row.top_json}));
    return Ok();
  }

 private:
  std::string AgainstFloor(size_t device, double error) const {
    const std::optional<double>& floor = model_.noise[device];
    const std::optional<double> ratio = floor ? ErrorAgainstFloor(error, *floor) : std::nullopt;
    return ratio ? Number(*ratio) : "";
  }

  const ModelView& model_;
  TextFile& file_;
  std::unordered_map<std::string, size_t> images_, devices_;
  std::unordered_map<std::string, const MutantView*> mutants_;
};

}  // namespace

std::string CsvHead(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  for (const Column& column : columns) names.emplace_back(column.name);
  return CsvLine(names);
}

const std::vector<Column>& FateColumns() {
  static const std::vector<Column> columns = {
      {"model", "name of the network"},
      {"mutant", "id of the mutant"},
      {"operator", "mutation operator that made it"},
      {"category", "the operator's category"},
      {"device", "name of the device"},
      {"image", "name of the image"},
      {"truth", "its class; empty = not known"},
      {"ending", "how the run ended: ok, crashed, timeout"},
      {"original_label", "first label of the unmutated network on the same device"},
      {"label", "first label of the mutant; empty unless it ended ok"},
      {"kills", "1 = this run kills the mutant, by the kill rule or by not ending ok"},
      {"effect",
       "silent = another label than the original's, finite output; loud = crash, timeout, NaN or "
       "Inf, hardly more than one label over all images; none = the original's label"},
      {"infected", "1 = some value differed from the original's, byte by byte"},
      {"dirty_steps", "steps whose output differed"},
      {"first_step", "the first of them; empty = none"},
      {"first_layer", "its last layer of the user's network"},
      {"nonfinite", "1 = the output holds NaN or Inf where the original's is finite"},
      {"max_abs_diff", "largest difference of an output from the original's, in raw outputs"},
      {"error_against_floor",
       "the same in units of the device's floor: four times what runs of the original differ by; "
       "above 1 = more than noise; empty = not known"},
      {"margin", "between the mutant's first and second label, in raw outputs; inf = one label"},
      {"seconds", "of the steps that ran; differs from run to run"},
      {"detail", "what is known of a crash or timeout"},
      {"top", "the best labels and raw outputs, [[label, score], ...], best first"}};
  return columns;
}

Status WriteFateTable(const CampaignView& view, const std::string& destination) {
  TextFile file = TRY(TextFile::Open(destination));
  file.Append(CsvHead(FateColumns()));
  for (const ModelView& model : view.models) {
    Writer writer(model, file, view);
    TRY(view.store->EachFate(model.stored.name,
                             [&](const StoredFate& row) { return writer.Write(row); }));
  }
  return file.Close();
}

namespace {

REPORT(.name = "csv", .summary = "every judged fate as a row; a file or -",
       .write = WriteFateTable);

}  // namespace
}  // namespace mutatenn
