// How long the original and the mutants of each operator ran, as box plots and a table. The plots
// are SVG written here: a box is one path, and the smallest plotting library that Debian packages
// has more bytes than the page's whole script, and draws nothing where scripts are off.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/interval.h"
#include "report/html_parts.h"

namespace mutatenn::html {
namespace {

struct Box {
  std::string name;
  size_t count = 0;
  double low = 0, first = 0, median = 0, third = 0, high = 0;  // seconds; low and high are extremes
};

Box BoxOf(const std::string& name, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {name,
          values.size(),
          values.front(),
          Quantile(values, 0.25),
          Quantile(values, 0.5),
          Quantile(values, 0.75),
          values.back()};
}

std::vector<Box> BoxesOn(const ModelView& model, size_t device) {
  std::vector<Box> boxes;
  std::vector<double> seconds;
  for (const auto& original : model.originals[device]) {
    if (original) seconds.push_back(original->seconds);
  }
  if (!seconds.empty()) boxes.push_back(BoxOf("original", std::move(seconds)));
  for (const Group& group : ByOperator(model)) {
    seconds.clear();
    for (size_t mutant : group.mutants) {
      for (const Outcome& outcome : model.mutants[mutant].devices[device].outcomes) {
        if (outcome.ending == Ending::kOk) seconds.push_back(outcome.seconds);
      }
    }
    if (!seconds.empty()) boxes.push_back(BoxOf(group.name, std::move(seconds)));
  }
  return boxes;
}

// Steps alone take microseconds, whole networks seconds: the axis is logarithmic.
std::string Plot(const std::vector<Box>& boxes, const std::string& title) {
  constexpr double kLeft = 220, kWidth = 560, kStep = 22, kLeast_s = 1e-6;
  double longest = kLeast_s, shortest = 1e6;
  for (const Box& box : boxes) {
    longest = std::max(longest, box.high);
    shortest = std::min(shortest, std::max(box.low, kLeast_s));
  }
  const int first = static_cast<int>(std::floor(std::log10(shortest)));
  const int last = std::max(first + 1, static_cast<int>(std::ceil(std::log10(longest))));
  auto x = [&](double seconds) {
    return kLeft +
           kWidth * (std::log10(std::max(seconds, std::pow(10.0, first))) - first) / (last - first);
  };
  const double bottom = kStep * static_cast<double>(boxes.size()) + 12;
  std::string svg = fmt::format(
      "<svg role=\"img\" aria-label=\"{0}\" viewBox=\"0 0 800 {1}\" width=\"800\" height=\"{1}\">",
      MarkupText(title), bottom + 18);
  for (int decade = first; decade <= last; ++decade) {
    const double at = x(std::pow(10.0, decade));
    svg += fmt::format(
        "<path class=\"axis\" d=\"M{0:.1f} 0V{1}\"/>"
        "<text x=\"{0:.1f}\" y=\"{2}\" text-anchor=\"middle\">{3:g} s</text>",
        at, bottom, bottom + 14, std::pow(10.0, decade));
  }
  for (size_t i = 0; i < boxes.size(); ++i) {
    const Box& box = boxes[i];
    double y = kStep * static_cast<double>(i) + 12;
    svg += fmt::format(
        "<text x=\"{0}\" y=\"{1}\" text-anchor=\"end\">{2}</text>"
        "<path class=\"box\" d=\"M{3:.1f} {4}H{5:.1f}M{6:.1f} {4}H{7:.1f}M{5:.1f} {8}H{6:.1f}V{9}H"
        "{5:.1f}ZM{10:.1f} {8}V{9}\"/>",
        kLeft - 8, y + 4, MarkupText(box.name), x(box.low), y, x(box.first), x(box.third),
        x(box.high), y - 6, y + 6, x(box.median));
  }
  return svg + "</svg>";
}

}  // namespace

std::string Times(const CampaignView& view, const ModelView& model) {
  const std::string* timing = view.Meta("timing");
  std::string text = timing && *timing == "full"
                         ? "<p>Seconds of whole runs of the network.</p>"
                         : "<p>Seconds of the steps that ran: a mutant runs only what its change "
                           "reaches, so these are not times of whole networks.</p>";
  for (size_t d = 0; d < view.devices.size(); ++d) {
    std::vector<Box> boxes = BoxesOn(model, d);
    if (boxes.empty()) continue;
    std::string rows, name = view.devices[d].name;
    auto cell = [](double seconds) { return fmt::format("{:.6f}", seconds); };
    for (const Box& box : boxes) {
      rows += Row({box.name, std::to_string(box.count), cell(box.low), cell(box.first),
                   cell(box.median), cell(box.third), cell(box.high)});
    }
    text += "<h3>" + MarkupText(name) + "</h3>" + Plot(boxes, "Seconds a run on " + name) +
            Table("Seconds a run on " + MarkupText(name),
                  Head({"", "runs", "least", "first quarter", "median", "third quarter", "most"}),
                  rows);
  }
  return text;
}

}  // namespace mutatenn::html
