// The campaign as the original tool's folders and files, one tree a model:
// DEST/MODEL/DEVICE/VARIANT/ mutations/ts_EPOCH_DEVICE0/IMAGE.txt, and its three kinds of
// comparison beside them. Only images that gave an output have a file, so that a crash looks as it
// did there: a folder without images.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/anova.h"
#include "analysis/metrics.h"
#include "base/files.h"
#include "base/json.h"
#include "report/report.h"
#include "report/text_file.h"

namespace mutatenn {
namespace {

using SortedJson = nlohmann::json;  // the original writes its keys sorted

constexpr double kSignificance = 0.05;
constexpr size_t kTopK = 5;  // lines of an image's file; its readers count on it

struct Output {
  std::vector<Ranked> top;
  double seconds = 0;
};
struct VariantRun {
  bool started = false;           // something was run, with whatever ending
  std::map<int, Output> outputs;  // by index of image
  double seconds = 0;
};
struct Variant {
  std::string name;
  std::vector<VariantRun> devices;
};

std::string AsFileName(std::string name) {
  for (char& c : name) {
    if (c == '/' || c == '\0') c = '_';
  }
  return name.empty() || name == "." || name == ".." ? "_" : name;
}

std::string DotsReplaced(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return AsFileName(name);
}

std::vector<Variant> VariantsOf(const CampaignView& view, const ModelView& model) {
  std::string suffix = "_opt" + OptimisationLevel(view);
  std::vector<Variant> variants;
  Variant original{"model_original" + suffix, {}};
  for (const auto& device : model.originals) {
    VariantRun& run = original.devices.emplace_back();
    for (size_t i = 0; i < device.size(); ++i) {
      if (!device[i]) continue;
      run.started = true;
      run.outputs[static_cast<int>(i)] = {device[i]->top, device[i]->seconds};
      run.seconds += device[i]->seconds;
    }
  }
  variants.push_back(std::move(original));
  for (const MutantView& mutant : model.mutants) {
    Variant variant{DotsReplaced(mutant.stored.op_id) + "_" + AsFileName(mutant.stored.id) + suffix,
                    {}};
    for (const DeviceResult& result : mutant.devices) {
      VariantRun& run = variant.devices.emplace_back();
      run.started = !result.fates.empty();
      run.seconds = result.seconds.value_or(0);
      for (size_t i = 0; i < result.fates.size(); ++i) {
        const Fate& fate = result.fates[i];
        if (fate.ending == Ending::kOk) {
          run.outputs[result.outcomes[i].image] = {fate.top, fate.seconds};
        }
      }
    }
    variants.push_back(std::move(variant));
  }
  return variants;
}

// Without the extension and with dots replaced, as there; with it where two images would share a
// file.
std::vector<std::string> ImageFiles(const ModelView& model) {
  std::map<std::string, int> uses;
  auto stem = [](const std::string& name) { return DotsReplaced(name.substr(0, name.rfind('.'))); };
  for (const StoredImage& image : model.images) ++uses[stem(image.name)];
  std::vector<std::string> files;
  for (const StoredImage& image : model.images) {
    std::string base = stem(image.name);
    files.push_back((uses[base] > 1 ? DotsReplaced(image.name) : base) + ".txt");
  }
  return files;
}

std::string ImageText(const Output& output) {
  std::string text;
  for (size_t i = 0; i < std::min(output.top.size(), kTopK); ++i) {
    text += fmt::format("{}, {:.6f}\n", output.top[i].label, output.top[i].score);
  }
  return text + fmt::format("\n{:.6f}\n", output.seconds);
}

// As Python prints a float: always with a point or an exponent.
std::string PythonFloat(double value) { return SortedJson(value).dump(); }

SortedJson NumberOrText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

// "base against evaluated" over the images that both have; null when there is none.
SortedJson Compare(const VariantRun& base, const VariantRun& evaluated,
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

class PaperTree {
 public:
  PaperTree(const CampaignView& view, const ModelView& model, const std::string& destination)
      : view_(view),
        files_(ImageFiles(model)),
        variants_(VariantsOf(view, model)),
        model_(AsFileName(model.stored.name)),
        root_(destination + "/" + model_) {
    const std::string* epoch = view.Meta("created_epoch");
    epoch_ = AsFileName(epoch ? *epoch : "0");
  }

  Status Write() {
    TRY(MakeDirectories(root_));
    for (size_t d = 0; d < view_.devices.size(); ++d) {
      TRY(WriteImages(d));
      TRY(WriteSameFolder(d));
    }
    return WriteDevices();
  }

 private:
  std::string Device(size_t d) const { return AsFileName(view_.devices[d].name); }

  Status WriteJsonFile(const std::string& path, const SortedJson& json) {
    return WriteFile(path, json.dump(2, ' ', true, SortedJson::error_handler_t::replace) + "\n");
  }

  Status WriteImages(size_t d) {
    TRY(MakeDirectories(root_ + "/" + Device(d)));
    for (const Variant& variant : variants_) {
      const VariantRun& run = variant.devices[d];
      if (!run.started) continue;
      std::string folder = root_ + "/" + Device(d) + "/" + variant.name + "/mutations/ts_" +
                           epoch_ + "_" + Device(d) + "0";
      TRY(MakeDirectories(folder));
      for (const auto& [image, output] : run.outputs) {
        TRY(WriteFile(folder + "/" + files_[static_cast<size_t>(image)], ImageText(output)));
      }
      TRY(WriteFile(
          folder + "/execution_log.txt",
          fmt::format("Model {} execution time:  {} seconds\n", variant.name, run.seconds)));
    }
    return Ok();
  }

  // The original against every mutant on one device.
  Status WriteSameFolder(size_t d) {
    SortedJson times = SortedJson::object(), comparisons = SortedJson::array(),
               dissimilar = SortedJson::object();
    double averages = 0;
    int folders = 0;
    for (const Variant& variant : variants_) {
      folders += variant.devices[d].started;
      if (&variant == &variants_.front()) continue;
      SortedJson comparison = Compare(variants_.front().devices[d], variant.devices[d], files_);
      if (comparison.is_null()) continue;
      CountDissimilar(comparison, dissimilar);
      times[variant.name] = {{"average_exec_time", comparison["average_exec_time"]},
                             {"total_exec_time", comparison["total_exec_time"]}};
      averages += comparison["average_exec_time"].get<double>();
      comparison.erase("average_exec_time");
      comparison.erase("total_exec_time");
      comparisons.push_back({{"base", variants_.front().name},
                             {"evaluated", variant.name},
                             {"comparison", std::move(comparison)}});
    }
    return WriteJsonFile(root_ + "/" + Device(d) + "/same_folder.json",
                         {{"times", times},
                          {"total_avg_exec_time", averages / std::max(folders, 1)},
                          {"comparisons", comparisons},
                          {"total_images_dissimilar", dissimilar}});
  }

  Status WriteDevices() {
    SortedJson evaluation = SortedJson::object(), discrepancies = SortedJson::object(),
               dissimilar = SortedJson::object();
    csv_ = "lib,device1,device2,p-value,statistic,significant\n";
    for (const Variant& variant : variants_) {
      bool started = false, gave_output = false;
      for (const VariantRun& run : variant.devices) {
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
    return WriteFile(root_ + "/" + model_ + "_output_stats_total_1.csv", csv_);
  }

  void ComparePair(const Variant& variant, size_t base, size_t evaluated, SortedJson& found,
                   SortedJson& differing, SortedJson& dissimilar) {
    const VariantRun& first = variant.devices[base];
    const VariantRun& second = variant.devices[evaluated];
    if (!first.started || !second.started) return;
    SortedJson pair = {{"base", view_.devices[base].name},
                       {"evaluated", view_.devices[evaluated].name}};
    SortedJson comparison = Compare(first, second, files_);
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
    csv_ += CsvLine({variant.name, view_.devices[base].name, view_.devices[evaluated].name,
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

  const CampaignView& view_;
  std::vector<std::string> files_;
  std::vector<Variant> variants_;
  std::string model_, root_, epoch_, csv_;
};

Status WritePaper(const CampaignView& view, const std::string& destination) {
  if (destination == "-") {
    return Fail(Code::kInvalidInput, "the paper report is a tree of files: name a folder, not -");
  }
  for (const ModelView& model : view.models) TRY(PaperTree(view, model, destination).Write());
  return Ok();
}

REPORT(.name = "paper", .summary = "the original tool's tree and files; a folder",
       .write = WritePaper, .tree = true, .keep_fates = true);

}  // namespace
}  // namespace mutatenn
