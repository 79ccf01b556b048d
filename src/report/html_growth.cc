// How far rounding alone changes each step on each device, and how a difference grows from step to
// step, as plots (SVG, as html_times.cc says why) and tables.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/html_parts.h"

namespace mutatenn::html {
namespace {

constexpr size_t kBytes = 600'000;  // of all plots and tables of a model
constexpr double kLeft = 60, kWidth = 700, kTop = 8, kHeight = 150;
constexpr double kLowest = 1e-9;  // relative: less is drawn here

std::string Number(double value) {
  return std::isfinite(value) ? fmt::format("{:.3g}", value) : "not measured";
}

double Relative(double value, double scale) { return scale > 0 ? value / scale : 0; }

double Y(double relative) {
  const double decades = -std::log10(kLowest);
  const double at = std::log10(std::clamp(relative, kLowest, 1.0)) + decades;
  return kTop + kHeight * (1 - at / decades);
}

// A path through the steps, broken where nothing is known.
std::string Path(const std::vector<double>& relative, const char* kind) {
  std::string path;
  bool pen = false;
  const double step = kWidth / static_cast<double>(std::max<size_t>(1, relative.size() - 1));
  for (size_t k = 0; k < relative.size(); ++k) {
    const bool known = std::isfinite(relative[k]);
    if (known)
      path += fmt::format("{}{:.0f} {:.0f}", pen ? "L" : "M", kLeft + step * static_cast<double>(k),
                          Y(relative[k]));
    pen = known;
  }
  return fmt::format("<path class=\"{}\" d=\"{}\"/>", kind, path);
}

std::string Plot(const std::vector<const StoredGrowth*>& steps, const std::string& title) {
  std::vector<double> total, floor;
  for (const StoredGrowth* step : steps) {
    total.push_back(Relative(step->total, step->scale));
    floor.push_back(Relative(step->floor, step->scale));
  }
  std::string svg = fmt::format(
      "<svg role=\"img\" aria-label=\"{0}\" viewBox=\"0 0 800 {1}\" width=\"800\" height=\"{1}\">",
      MarkupText(title), kTop + kHeight + 24);
  for (int decade = 0; decade >= -9; decade -= 3) {
    const double y = Y(std::pow(10.0, decade));
    svg += fmt::format(
        "<path class=\"axis\" d=\"M{} {:.0f}H{}\"/><text x=\"{}\" y=\"{:.0f}\" "
        "text-anchor=\"end\">{}1e{}</text>",
        kLeft, y, kLeft + kWidth, kLeft - 6, y + 4, decade == -9 ? "≤" : "", decade);
  }
  return svg + Path(floor, "floor") + Path(total, "line") +
         fmt::format("<text x=\"{}\" y=\"{}\">{} steps, first to last</text></svg>", kLeft,
                     kTop + kHeight + 18, steps.size());
}

std::string Steps(const std::vector<const StoredGrowth*>& steps) {
  std::string rows;
  for (const StoredGrowth* step : steps)
    rows += Row({step->layer.empty() ? step->step : step->layer, Number(step->total),
                 Number(step->local), Number(step->floor), Number(step->scale),
                 std::to_string(step->nonfinite), step->died});
  return Table("Largest differences of an element, by step",
               Head({"layer", "total", "of the step alone", "rounding floor", "largest element",
                     "not finite on one side", "ended"}),
               rows);
}

}  // namespace

Result<std::string> Floors(const CampaignView& view, const ModelView& model) {
  std::string text;
  for (const StoredDevice& device : view.devices) {
    std::string rows;
    for (const StoredFloor& floor : TRY(view.store->Floors(model.stored.name, device.name)))
      rows += Row({floor.step.empty() ? "the whole network" : floor.step,
                   std::to_string(floor.output), std::to_string(floor.images), Number(floor.floor),
                   Number(floor.spread), Number(floor.distance), Number(floor.magnitude),
                   Number(Relative(floor.floor, floor.magnitude))});
    const std::string name = MarkupText(device.name);
    if (rows.empty())
      text += "<p>Rounding floors on " + name + ": not measured.</p>";
    else
      text += "<details><summary>Rounding floors of the steps on " + name + "</summary>" +
              Table("How far legal code for a step differs on " + name + " by rounding alone",
                    Head({"step", "output", "images", "floor", "spread of legal code",
                          "distance to float64", "largest element", "floor / largest"}),
                    rows) +
              "</details>";
  }
  return text;
}

Result<std::string> Growth(const CampaignView& view, const ModelView& model) {
  const std::vector<StoredGrowth> rows = TRY(view.store->Growth(model.stored.name));
  std::string text;
  size_t left_out = 0;
  for (size_t begin = 0, end; begin < rows.size(); begin = end) {
    const StoredGrowth& first = rows[begin];
    std::vector<const StoredGrowth*> steps;
    for (end = begin; end < rows.size(); ++end) {
      const StoredGrowth& row = rows[end];
      if (row.mutant != first.mutant || row.device != first.device || row.against != first.against)
        break;
      steps.push_back(&row);
    }
    const std::string title = first.mutant.empty()
                                  ? fmt::format("The original on {} against {}, on {}",
                                                first.against, first.device, first.image)
                                  : fmt::format("Mutant {} against the original on {}, on {}",
                                                first.mutant, first.device, first.image);
    const std::string figure = fmt::format(
        "<figure data-mutant=\"{}\"><figcaption>{}</figcaption>{}<details><summary>Step by "
        "step</summary>{}</details></figure>\n",
        MarkupText(first.mutant), MarkupText(title), Plot(steps, title), Steps(steps));
    if (text.size() + figure.size() > kBytes)
      ++left_out;
    else
      text += figure;
  }
  if (text.empty()) return text;
  if (left_out > 0)
    text += fmt::format("<p class=\"soft\">{} more are in the store.</p>", left_out);
  return "<p>The largest difference of an element over the largest element, from step to step, "
         "both sides having run from the image (line), and what rounding may make of each step "
         "alone (dashed).</p>" +
         text;
}

}  // namespace mutatenn::html
