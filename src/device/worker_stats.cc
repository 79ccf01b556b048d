// A worker's figures added up, and as JSON.
#include "device/worker_stats.h"

#include <algorithm>

#include <fmt/format.h>

namespace mutatenn {

void Add(const WorkerStats& more, WorkerStats* total) {
  for (const WorkerFigure& figure : kWorkerFigures) {
    double& sum = total->*figure.member;
    sum = figure.peak ? std::max(sum, more.*figure.member) : sum + more.*figure.member;
  }
}

std::string AcceleratorLine(const WorkerStats& stats) {
  if (stats.device_s <= 0) return "";
  const double results = std::max(1.0, stats.device_images);
  return fmt::format(
      "Accelerators: {:.0f} mutants, {:.0f} results on an image in {:.2f} s ({:.1f} and {:.1f} a "
      "second); busy {:.1f} %; {:.1f} launches and {:.2f} waits a result",
      stats.device_mutants, stats.device_images, stats.device_s,
      stats.device_mutants / stats.device_s, stats.device_images / stats.device_s,
      100 * stats.device_busy_s / stats.device_s, stats.device_launches / results,
      stats.device_waits / results);
}

Json ToJson(const WorkerStats& stats) {
  Json json = Json::object();
  for (const WorkerFigure& figure : kWorkerFigures) json[figure.name] = stats.*figure.member;
  return json;
}

Result<WorkerStats> WorkerStatsFromJson(const Json& json) {
  WorkerStats stats;
  for (const WorkerFigure& figure : kWorkerFigures) {
    if (!json.is_object() || !json.contains(figure.name) || !json[figure.name].is_number())
      return Fail(Code::kInvalidInput, "a worker's figures lack ", figure.name);
    stats.*figure.member = json[figure.name].get<double>();
  }
  return stats;
}

}  // namespace mutatenn
