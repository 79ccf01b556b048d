// The campaign in the public mutation-testing report schema, for its viewers: a file is the printed
// IR of the graph or of a kernel, a test is an image on a device. The score that viewers compute of
// it is our overall score.
#include <fmt/format.h>

#include "analysis/scores.h"
#include "report/report.h"
#include "report/sources.h"

namespace mutatenn {
namespace {

constexpr int kHigh = 80, kLow = 60;  // of the viewers' colours; the schema asks for them

// The verdict that stands for all devices, and a device that has it.
struct SchemaStatus {
  const char* name;
  std::string reason;
};

std::string ReasonOf(const CampaignView& view, const MutantView& mutant, Verdict verdict) {
  for (size_t d = 0; d < mutant.devices.size(); ++d) {
    if (mutant.devices[d].judgement.verdict == verdict) {
      return std::string(VerdictName(verdict)) + " on " + view.devices[d].name + ": " +
             mutant.devices[d].judgement.reason;
    }
  }
  return VerdictName(verdict);
}

SchemaStatus StatusOf(const CampaignView& view, const MutantView& mutant) {
  Verdict verdict = OverallVerdict(mutant);
  std::string reason = ReasonOf(view, mutant, verdict);
  switch (verdict) {
    case Verdict::kKilled:
    case Verdict::kCrashed:
      return {"Killed", reason};
    case Verdict::kTimeout:
      return {"Timeout", reason};
    case Verdict::kSurvived:
      if (!mutant.mark) return {"Survived", reason};
      return {"Ignored",
              fmt::format("marked {}: {}", MarkName(mutant.mark->kind), mutant.mark->reason)};
    case Verdict::kStillborn:
      return {"CompileError", reason};
    case Verdict::kPending:
      return {"Pending", reason};
    case Verdict::kEquivalent:
    case Verdict::kUnstable:
    case Verdict::kIgnored:
      break;
  }
  return {"Ignored", reason};
}

// Unique over all models of the report.
std::string TestId(size_t model, size_t device, int image) {
  return fmt::format("{}.{}.{}", model, device, image);
}

Json MutantJson(const CampaignView& view, size_t of_model, size_t index, const Change& change) {
  const MutantView& mutant = view.models[of_model].mutants[index];
  SchemaStatus status = StatusOf(view, mutant);
  Json killed_by = Json::array(), covered_by = Json::array();
  int completed = 0;
  double seconds = 0;
  for (size_t d = 0; d < mutant.devices.size(); ++d) {
    for (const Outcome& outcome : mutant.devices[d].outcomes) {
      ++completed;
      if (outcome.infected) covered_by.push_back(TestId(of_model, d, outcome.image));
      if (outcome.kills) killed_by.push_back(TestId(of_model, d, outcome.image));
    }
    seconds += mutant.devices[d].seconds.value_or(0);
  }
  return {{"id", mutant.stored.id},
          {"mutatorName", mutant.stored.op_id},
          {"description", mutant.stored.place},
          {"replacement", change.replacement},
          {"location",
           {{"start", {{"line", change.line}, {"column", change.column}}},
            {"end", {{"line", change.end_line}, {"column", change.end_column}}}}},
          {"status", status.name},
          {"statusReason", status.reason},
          {"killedBy", killed_by},
          {"coveredBy", covered_by},
          {"testsCompleted", completed},
          {"duration", 1000 * seconds}};
}

Status WriteMutationTesting(const CampaignView& view, const std::string& destination) {
  Json files = Json::object(), tests = Json::object();
  for (size_t m = 0; m < view.models.size(); ++m) {
    const ModelView& model = view.models[m];
    Sources sources = TRY(SourcesOf(view, model));
    for (const Source& source : sources.files) {
      Json mutants = Json::array();
      for (const auto& [mutant, change] : source.mutants)
        mutants.push_back(MutantJson(view, m, mutant, change));
      files[model.stored.name + "/" + source.name] = {
          {"language", "python"}, {"source", source.Text()}, {"mutants", mutants}};
    }
    for (size_t d = 0; d < view.devices.size(); ++d) {
      Json list = Json::array();
      for (size_t i = 0; i < model.images.size(); ++i) {
        list.push_back({{"id", TestId(m, d, static_cast<int>(i))},
                        {"name", model.images[i].name + " on " + view.devices[d].name}});
      }
      tests[model.stored.name + " on " + view.devices[d].name] = {{"tests", list}};
    }
  }
  auto meta = [&](const char* key) {
    const std::string* value = view.Meta(key);
    return value ? *value : std::string("unknown");
  };
  Json report = {{"schemaVersion", "2.0"},
                 {"thresholds", {{"high", kHigh}, {"low", kLow}}},
                 {"framework",
                  {{"name", "mutatenn"},
                   {"version", meta("tool_version")},
                   {"dependencies", {{"apache-tvm", meta("tvm_version")}}}}},
                 {"files", files},
                 {"testFiles", tests}};
  return WriteText(destination, report.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

REPORT(.name = "mutation-testing",
       .summary = "the public mutation-testing schema, for its viewers; a file or -",
       .write = WriteMutationTesting);

}  // namespace
}  // namespace mutatenn
