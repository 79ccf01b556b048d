// `mutatenn compare`: the original on two sides, step by step, without any mutation.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "campaign/bisect.h"
#include "cli/subcommand.h"

namespace mutatenn {
namespace {

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// Of a difference to what it is a difference of.
std::string Short(double value) {
  if (std::isnan(value)) return "?";  // not measured
  return value == 0 ? "0" : fmt::format("{:.1e}", value);
}

void PrintSteps(const Comparison& comparison) {
  fmt::print("  {:>8} {:>7} {:>8} {:>8} {:>9}  {}\n", "total", "growth", "local", "floor",
             "tolerance", "step");
  for (size_t k = 0; k < comparison.steps.size(); ++k) {
    const ComparedStep& step = comparison.steps[k];
    const bool first = static_cast<int>(k) == comparison.first;
    fmt::print(
        "{} {:>8} {:>7} {:>8} {:>8} {:>9}  {}{}{}{}\n",
        first             ? ">"
        : step.diverges() ? "!"
                          : " ",
        Short(step.total.largest_abs), step.growth > 0 ? fmt::format("x{:.2g}", step.growth) : "",
        Short(step.local.largest_abs), Short(step.floor), Short(step.total.tolerance),
        Joined(step.layers),
        step.local.nonfinite > 0
            ? fmt::format("  ({} elements not finite on one side only)", step.local.nonfinite)
            : "",
        step.steps_b > 1 ? fmt::format("  ({} steps there)", step.steps_b) : "",
        step.died.empty() ? "" : "  " + step.died);
    if (!step.died.empty()) break;  // nothing was run behind it
  }
}

void PrintOutputs(const Comparison& comparison) {
  fmt::print("  {:>8} {:>8} {:>9}  {}\n", "error", "floor", "tolerance", "output");
  for (const ComparedStep& step : comparison.steps)
    fmt::print("{} {:>8} {:>8} {:>9}  {}\n", step.diverges() ? ">" : " ",
               Short(step.total.largest_abs), Short(step.floor), Short(step.total.tolerance),
               step.name);
}

void Print(const Comparison& comparison) {
  fmt::print("{}: {} against {} over {} image{}\n\n", comparison.model, comparison.b, comparison.a,
             comparison.images, comparison.images == 1 ? "" : "s");
  comparison.outputs_only ? PrintOutputs(comparison) : PrintSteps(comparison);
  const std::string what = comparison.outputs_only ? "output" : "step";
  if (comparison.first < 0) {
    fmt::print("\nno {} differs by more than rounding", what);
    const auto known = [](const ComparedStep& step) { return !std::isnan(step.floor); };
    if (!std::all_of(comparison.steps.begin(), comparison.steps.end(), known))
      fmt::print(" where that was measured (?: it was not)");
  } else if (const ComparedStep& step = comparison.steps[static_cast<size_t>(comparison.first)];
             !step.died.empty()) {
    fmt::print("\nended in {} ({}), on {}: {}", Joined(step.layers), step.role, step.image,
               step.died);
  } else {
    fmt::print("\nfirst {} that differs by more than rounding: {}, on {}", what,
               comparison.outputs_only ? step.name : Joined(step.layers) + " (" + step.role + ")",
               step.image);
  }
  fmt::print("; the first label differs on {} of {} images\n", comparison.labels_differ,
             comparison.images);
}

std::string Left(const std::optional<double>& difference) {
  return difference ? Short(*difference) : "-";
}

void Print(const Comparison& comparison, const Explanation& found) {
  fmt::print("\n{} alone on {}: they differ by {}, with one switch thrown by\n\n", found.step,
             found.image, Short(found.difference));
  fmt::print("  {:<24} {:>10} {:>10} {:>10}\n", "", "on " + comparison.a, "on " + comparison.b,
             "on both");
  for (const SwitchEffect& effect : found.switches)
    fmt::print("{} {:<24} {:>10} {:>10} {:>10}  {}\n", effect.removes ? ">" : " ", effect.name,
               Left(effect.on_a), Left(effect.on_b), Left(effect.on_both), effect.why);
  for (const auto& [name, outside] :
       {std::pair(comparison.a, found.outside_a), std::pair(comparison.b, found.outside_b)})
    fmt::print("  guarded memory on {}: {}\n", name,
               outside.empty()  ? "no access outside its buffers"
               : outside == "-" ? "not looked at"
                                : "an access outside: " + outside);
  for (const auto& [name, distance] : {std::pair(comparison.a, found.from_float64_a),
                                       std::pair(comparison.b, found.from_float64_b)})
    if (distance) fmt::print("  {} is {} away from its float64\n", name, Short(*distance));
  fmt::print("\n{}\n", found.named.empty() ? "no switch removes the difference"
                                           : "removed by: " + found.named);
}

void Print(const Bisection& found) {
  if (found.pass.empty()) {
    fmt::print("\nno pass makes {} differ: {} of {} were tried in {} builds\n", found.step,
               found.tried.size(), found.side, found.builds);
    return;
  }
  fmt::print("\n{} differs because {} {} {} (application {} of {}{}); {} builds\n", found.step,
             found.side, found.left_out ? "leaves out" : "runs", found.pass, found.application,
             found.applications, found.alone ? ", by itself" : ", together with others",
             found.builds);
}

class CompareCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("CONFIG", config_, "The campaign's configuration; its operators are not used")
        ->required();
    app.add_option("--devices", options_.sides,
                   "The two sides, A,B: each a device's name, NAME@LEVEL for that device at "
                   "another optimisation level, either with ~PASS for each lowering pass to leave "
                   "out, FILE.npz with recorded outputs or FILE.so, a "
                   "network compiled with TVM; without it, the first two devices");
    app.add_option("--images", options_.images, "The first so many images, by name; 0 = all")
        ->check(CLI::NonNegativeNumber);
    app.add_flag("--explain", options_.explain,
                 "Run the first step that differs alone, with the compiler's switches thrown one "
                 "by one, and name the one that removes the difference");
    app.add_flag("--bisect", options_.bisect,
                 "Find the lowering pass that makes the first step differ, by leaving passes out");
    app.add_option("--format", format_, "table, or json for programs")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
  }

  Result<int> Run(const GlobalOptions& global) override {
    const Config config = TRY(ReadConfig(config_, RegisteredOperators()));
    Progress progress = Progress::ForStderr(global.verbosity);
    const auto comparisons = TRY(CompareDevices(config, options_, RealParts(), progress));
    progress.End();
    Json list = Json::array();
    bool differs = false;
    for (const Comparison& comparison : comparisons) {
      differs |= comparison.first >= 0;
      if (format_ == "json") {
        list.push_back(ToJson(comparison));
      } else {
        Print(comparison);
        if (comparison.explanation != nullptr) Print(comparison, *comparison.explanation);
        if (comparison.bisection != nullptr) Print(*comparison.bisection);
      }
    }
    if (format_ == "json") fmt::print("{}\n", DumpJson({{"comparisons", list}}));
    return differs ? kExitGateFailed : 0;
  }

 private:
  std::string config_, format_ = "table";
  CompareOptions options_;
};

SUBCOMMAND(CompareCommand, .name = "compare", .order = 10,
           .summary = "Say where two devices begin to compute differently, without mutation");

}  // namespace
}  // namespace mutatenn
