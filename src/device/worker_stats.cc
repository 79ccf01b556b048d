// A worker's figures added up, and as JSON.
#include "device/worker_stats.h"

#include <algorithm>

namespace mutatenn {

void Add(const WorkerStats& more, WorkerStats* total) {
  for (const WorkerFigure& figure : kWorkerFigures) {
    double& sum = total->*figure.member;
    sum = figure.peak ? std::max(sum, more.*figure.member) : sum + more.*figure.member;
  }
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
