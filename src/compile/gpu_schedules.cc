// Kernels of accelerators and the traces of their schedules: asked of the front end, all of a
// network's or of a mutant's in one request, and kept by kernel.
#include "compile/pipeline.h"
#include "compile/schedule/threads.h"
#include "compile/schedule_needs.h"

namespace mutatenn {
namespace {

constexpr const char* kNeed = "schedule ";

}  // namespace

std::string PackScheduleNeed(int target, const std::string& module_json) {
  return kNeed + std::to_string(target) + " " + module_json;
}

std::optional<std::string> ScheduleNeed(const std::string& text, int* target) {
  const std::string need = kNeed;
  if (!text.starts_with(need)) return std::nullopt;
  const size_t end = text.find(' ', need.size());
  if (end == std::string::npos) return std::nullopt;
  *target = std::stoi(text.substr(need.size(), end - need.size()));
  return text.substr(end + 1);
}

std::vector<const KernelSource*> Pipeline::Untraced(
    const PerTarget& target, const std::map<std::string, KernelSource>& sources) const {
  std::vector<const KernelSource*> untraced;
  if (!target.target.accelerator() || options_.level < 3) return untraced;
  for (const auto& [key, source] : sources)
    if (!source.weight_only && !target.traces.contains(key)) untraced.push_back(&source);
  return untraced;
}

Result<std::string> Pipeline::PackUntraced(int target,
                                           const std::vector<const KernelSource*>& sources) const {
  return Guard("packing kernels", [&] {
    std::vector<std::pair<std::string, Node>> functions;
    for (const KernelSource* source : sources)
      functions.emplace_back(source->key, source->function);
    return PackScheduleNeed(target, ToJsonText(MakeModule(functions)));
  });
}

Status Pipeline::Trace(PerTarget& target, const std::string& module_json) {
  Json json = TRY(ParseJson(target.target.canonical, "target"));
  json.erase("host");
  for (auto& [key, trace] : TRY(frontend_->Schedule(module_json, DumpJson(json))))
    target.traces[key] = trace;
  return Ok();
}

Result<Node> Pipeline::ScheduleMutated(const PerTarget& target, const std::string& kernel,
                                       const Node& mutated) const {
  if (!target.target.accelerator()) return mutated;
  return TRY(ScheduleThreads(mutated, target.TraceOf(kernel))).function;
}

}  // namespace mutatenn
