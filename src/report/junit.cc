// Mutants as JUnit test cases, for the result pages of CI systems: a suite for each network and
// device, a survivor is a failure, what says nothing is skipped.
#include <fmt/format.h>

#include "analysis/scores.h"
#include "report/report.h"
#include "report/text_file.h"

namespace mutatenn {
namespace {

// The element inside a test case, "" for a detected mutant.
std::string Outcome(const MutantView& mutant, const DeviceResult& result) {
  Verdict verdict = result.judgement.verdict;
  std::string reason = MarkupText(result.judgement.reason);
  if (Detected(verdict)) return "";
  if (verdict == Verdict::kSurvived && !mutant.mark) {
    return fmt::format("      <failure type=\"survived\" message=\"{}\">{}</failure>\n", reason,
                       MarkupText(mutant.stored.place));
  }
  if (verdict == Verdict::kSurvived) {
    return fmt::format("      <skipped message=\"marked {}: {}\"/>\n", MarkName(mutant.mark->kind),
                       MarkupText(mutant.mark->reason));
  }
  const char* name = verdict == Verdict::kPending ? "not measured" : VerdictName(verdict);
  return fmt::format("      <skipped message=\"{}: {}\"/>\n", name, reason);
}

std::string Suite(const CampaignView& view, const ModelView& model, size_t device) {
  int failures = 0, skipped = 0;
  double seconds = 0;
  std::string cases;
  for (const MutantView& mutant : model.mutants) {
    const DeviceResult& result = mutant.devices[device];
    std::string outcome = Outcome(mutant, result);
    failures += outcome.find("<failure") != std::string::npos;
    skipped += outcome.find("<skipped") != std::string::npos;
    seconds += result.seconds.value_or(0);
    cases += fmt::format("    <testcase name=\"{}\" classname=\"{}\"{}",
                         MarkupText(mutant.stored.id), MarkupText(mutant.stored.op_id),
                         result.seconds ? fmt::format(" time=\"{:.6f}\"", *result.seconds) : "");
    cases += outcome.empty() ? "/>\n" : ">\n" + outcome + "    </testcase>\n";
  }
  return fmt::format(
             "  <testsuite name=\"{} on {}\" tests=\"{}\" failures=\"{}\" errors=\"0\" "
             "skipped=\"{}\" time=\"{:.6f}\">\n",
             MarkupText(model.stored.name), MarkupText(view.devices[device].name),
             model.mutants.size(), failures, skipped, seconds) +
         cases + "  </testsuite>\n";
}

Status WriteJunit(const CampaignView& view, const std::string& destination) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mutatenn\">\n";
  for (const ModelView& model : view.models) {
    for (size_t d = 0; d < view.devices.size(); ++d) text += Suite(view, model, d);
  }
  return WriteText(destination, text + "</testsuites>\n");
}

REPORT(.name = "junit", .summary = "JUnit XML, a survivor is a failure; a file or -",
       .write = WriteJunit);

}  // namespace
}  // namespace mutatenn
