// Outputs of variants on devices to the original tool's three kinds of comparison.
#include "report/paper_tree.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/anova.h"
#include "analysis/metrics.h"
#include "base/files.h"
#include "report/text_file.h"

namespace mutatenn {
namespace {

using SortedJson = nlohmann::json;  // the original writes its keys sorted

constexpr double kSignificance = 0.05;

// As Python prints a float: always with a point or an exponent.
std::string PythonFloat(double value) { return SortedJson(value).dump(); }

SortedJson NumberOrText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

// "base against evaluated" over the images that both have; null when there is none.
SortedJson Compare(const PaperRun& base, const PaperRun& evaluated,
                   const std::vector<std::string>& files) {
  int similar = 0, dissimilar = 0;
  double base_seconds = 0, evaluated_seconds = 0;
  std::vector<double> base_times, evaluated_times;
  SortedJson images = SortedJson::array();
  std::map<int64_t, std::pair<int, int>> labels;  // of the base: differing, all
  for (const auto& [image, output] : base.outputs) {
    auto other = evaluated.outputs.find(image);
    if (other == evaluated.outputs.end()) continue;
    base_times.push_back(output.seconds);
    evaluated_times.push_back(other->second.seconds);
    base_seconds += output.seconds;
    evaluated_seconds += other->second.seconds;
    bool differs = Top1Differs(output.top, other->second.top);
    (differs ? dissimilar : similar) += 1;
    if (differs) images.push_back(files[static_cast<size_t>(image)]);
    if (output.top.empty()) continue;
    auto& [differing, all] = labels[output.top.front().label];
    ++all;
    differing += differs;
  }
  int total = similar + dissimilar;
  if (total == 0) return nullptr;
  SortedJson diff_labels = SortedJson::object();
  for (const auto& [label, counts] : labels) {
    if (counts.first == 0) continue;
    diff_labels[std::to_string(label)] = {
        {"different", counts.first},
        {"total", counts.second},
        {"percentage", static_cast<double>(counts.first) / counts.second * 100}};
  }
  auto anova = OneWayAnova({base_times, evaluated_times});
  double none = std::nan("");
  return {{"total_no_of_images", total},
          {"no_of_images_similar", std::to_string(similar)},
          {"no_of_images_dissimilar", std::to_string(dissimilar)},
          {"percentage_similar", PythonFloat(static_cast<double>(similar) / total * 100)},
          {"percentage_dissimilar", PythonFloat(static_cast<double>(dissimilar) / total * 100)},
          {"total_exec_time", evaluated_seconds},
          {"orig_total_exec_time", base_seconds},
          {"average_exec_time", evaluated_seconds / total},
          {"average_orig_exec_time", base_seconds / total},
          {"images_dissimilar", images},
          {"diff_labels", diff_labels},
          {"oneway_exec_time",
           {{"statistic", NumberOrText(anova ? anova->statistic : none)},
            {"p-value", NumberOrText(anova ? anova->p_value : none)}}}};
}

// Counts further occurrences: an image's first one makes it 0, as there.
void CountDissimilar(const SortedJson& comparison, SortedJson& totals) {
  for (const SortedJson& image : comparison["images_dissimilar"]) {
    const std::string& name = image.get_ref<const std::string&>();
    totals[name] = totals.contains(name) ? totals[name].get<int>() + 1 : 0;
  }
}

class Comparisons {
 public:
  Comparisons(const PaperCampaign& campaign, const std::string& root)
      : campaign_(campaign), root_(root) {}

  Status Write() {
    for (size_t d = 0; d < campaign_.devices.size(); ++d) TRY(WriteSameFolder(d));
    return WriteDevices();
  }

 private:
  Status WriteJsonFile(const std::string& path, const SortedJson& json) {
    return WriteFile(path, json.dump(2, ' ', true, SortedJson::error_handler_t::replace) + "\n");
  }

  // The original against every mutant on one device.
  Status WriteSameFolder(size_t d) {
    SortedJson times = SortedJson::object(), comparisons = SortedJson::array(),
               dissimilar = SortedJson::object();
    double averages = 0;
    int folders = 0;
    for (const PaperVariant& variant : campaign_.variants) {
      folders += variant.devices[d].started;
      if (&variant == &campaign_.variants.front()) continue;
      SortedJson comparison =
          Compare(campaign_.variants.front().devices[d], variant.devices[d], campaign_.files);
      if (comparison.is_null()) continue;
      CountDissimilar(comparison, dissimilar);
      times[variant.name] = {{"average_exec_time", comparison["average_exec_time"]},
                             {"total_exec_time", comparison["total_exec_time"]}};
      averages += comparison["average_exec_time"].get<double>();
      comparison.erase("average_exec_time");
      comparison.erase("total_exec_time");
      comparisons.push_back({{"base", campaign_.variants.front().name},
                             {"evaluated", variant.name},
                             {"comparison", std::move(comparison)}});
    }
    return WriteJsonFile(root_ + "/" + AsFileName(campaign_.devices[d]) + "/same_folder.json",
                         {{"times", times},
                          {"total_avg_exec_time", averages / std::max(folders, 1)},
                          {"comparisons", comparisons},
                          {"total_images_dissimilar", dissimilar}});
  }

  Status WriteDevices() {
    SortedJson evaluation = SortedJson::object(), discrepancies = SortedJson::object(),
               dissimilar = SortedJson::object();
    csv_ = "lib,device1,device2,p-value,statistic,significant\n";
    for (const PaperVariant& variant : campaign_.variants) {
      bool started = false, gave_output = false;
      for (const PaperRun& run : variant.devices) {
        started |= run.started;
        gave_output |= !run.outputs.empty();
      }
      if (!started) continue;  // stillborn, equivalent or pending everywhere: no run to compare
      SortedJson& found = evaluation[variant.name] = SortedJson::array();
      SortedJson& differing = discrepancies[variant.name] = SortedJson::array();
      if (!gave_output) {
        differing.push_back({{"type", "full_crash"}});
        continue;
      }
      for (size_t base = 0; base < variant.devices.size(); ++base) {
        for (size_t evaluated = 0; evaluated < variant.devices.size(); ++evaluated) {
          if (base != evaluated)
            ComparePair(variant, base, evaluated, found, differing, dissimilar);
        }
      }
    }
    evaluation["total_images_dissimilar"] = dissimilar;
    TRY(WriteJsonFile(root_ + "/device_evaluation.json", evaluation));
    TRY(WriteJsonFile(root_ + "/device_discrepancies.json", discrepancies));
    return WriteFile(root_ + "/" + AsFileName(campaign_.model) + "_output_stats_total_1.csv", csv_);
  }

  void ComparePair(const PaperVariant& variant, size_t base, size_t evaluated, SortedJson& found,
                   SortedJson& differing, SortedJson& dissimilar) {
    const PaperRun& first = variant.devices[base];
    const PaperRun& second = variant.devices[evaluated];
    if (!first.started || !second.started) return;
    SortedJson pair = {{"base", campaign_.devices[base]},
                       {"evaluated", campaign_.devices[evaluated]}};
    SortedJson comparison = Compare(first, second, campaign_.files);
    if (comparison.is_null()) {
      pair["no_of_images"] = 0;
      pair["type"] = "crash";
      differing.push_back(std::move(pair));
      return;
    }
    CountDissimilar(comparison, dissimilar);
    const SortedJson& anova = comparison["oneway_exec_time"];
    auto cell = [](const SortedJson& value) {
      return value.is_string() ? value.get<std::string>() : value.dump();
    };
    bool significant =
        anova["p-value"].is_number() && anova["p-value"].get<double>() < kSignificance;
    csv_ += CsvLine({variant.name, campaign_.devices[base], campaign_.devices[evaluated],
                     cell(anova["p-value"]), cell(anova["statistic"]), significant ? "yes" : "no"});
    if (comparison["no_of_images_dissimilar"] != "0") {
      SortedJson discrepancy = pair;
      discrepancy["percentage_dissimilar"] = comparison["percentage_dissimilar"];
      discrepancy["type"] = "discrepancy";
      differing.push_back(std::move(discrepancy));
    }
    pair["comparison"] = std::move(comparison);
    found.push_back(std::move(pair));
  }

  const PaperCampaign& campaign_;
  std::string root_, csv_;
};

}  // namespace

std::string AsFileName(std::string name) {
  for (char& c : name) {
    if (c == '/' || c == '\0') c = '_';
  }
  return name.empty() || name == "." || name == ".." ? "_" : name;
}

Status WritePaperComparisons(const PaperCampaign& campaign, const std::string& root) {
  return Comparisons(campaign, root).Write();
}

}  // namespace mutatenn
