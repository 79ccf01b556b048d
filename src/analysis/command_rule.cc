// A mutant's fates to one file of arrays, and a program's exit status to a verdict.
#include "analysis/command_rule.h"

#include <sys/wait.h>

#include <algorithm>

#include "analysis/metrics.h"
#include "base/files.h"
#include "base/npz_writer.h"
#include "base/process.h"
#include "base/scratch_folder.h"

namespace mutatenn {
namespace {

constexpr double kLimit_s = 600;

Result<NpzArray> Scores(const std::string& name, const std::vector<std::vector<Ranked>>& tops) {
  const size_t classes = tops.empty() ? 0 : tops.front().size();
  std::vector<float> scores;
  for (const std::vector<Ranked>& top : tops) {
    auto whole = WholeOutput(top, classes);
    if (!whole) return Fail(Code::kInvalidInput, "an output was not kept as a whole");
    scores.insert(scores.end(), whole->begin(), whole->end());
  }
  return NpzArray{name,
                  "<f4",
                  {static_cast<int64_t>(tops.size()), static_cast<int64_t>(classes)},
                  BytesOf(scores)};
}

NpzArray Names(const std::vector<Fate>& fates) {
  size_t longest = 1;
  for (const Fate& fate : fates) longest = std::max(longest, fate.image.size());
  std::string bytes;
  for (const Fate& fate : fates)
    bytes += fate.image + std::string(longest - fate.image.size(), '\0');
  return {"images",
          "|S" + std::to_string(longest),
          {static_cast<int64_t>(fates.size())},
          std::move(bytes)};
}

Result<LimitCheck> Ask(const Evidence& evidence, const std::string& mutant,
                       const std::string& device) {
  std::vector<std::vector<Ranked>> outputs;
  for (const Fate& fate : evidence.fates) outputs.push_back(fate.top);
  const std::vector<NpzArray> arrays = {
      TRY(Scores("outputs", outputs)),
      TRY(Scores("original", evidence.originals)),
      {"labels", "<i8", {static_cast<int64_t>(evidence.truths.size())}, BytesOf(evidence.truths)},
      Names(evidence.fates)};
  ScratchFolder folder = TRY(ScratchFolder::Make("accept"));
  const std::string file = folder.path() + "/outputs.npz";
  TRY(WriteFile(file, NpzText(arrays)));
  auto process = TRY(
      Process::Start({.command = {"/bin/sh", "-c", evidence.rule.command + " \"$1\"", "sh", file},
                      .environment = {{"MUTATENN_MUTANT", mutant}, {"MUTATENN_DEVICE", device}},
                      .socket = false}));
  const int status = TRY(process->Wait(kLimit_s));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return LimitCheck{false, ""};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
    const std::string said = process->LastOutput(1);
    return LimitCheck{true, "not accepted" + (said.empty() ? "" : ": " + said)};
  }
  return LimitCheck{std::nullopt,
                    "the command " + DescribeWaitStatus(status) + ": " + process->LastOutput()};
}

}  // namespace

Status CheckWholeOutputs(const ModelView& model, int top_k) {
  for (const auto& device : model.originals) {
    for (const auto& original : device) {
      if (!original) continue;
      const size_t kept = original->top.size();
      if (static_cast<int>(kept) < top_k && WholeOutput(original->top, kept)) continue;
      return Fail(Code::kInvalidInput, "kill rule accept:command: the campaign kept the best ",
                  std::to_string(top_k),
                  " labels only; run it with a `top_k` above the number of classes");
    }
  }
  return Ok();
}

LimitCheck AskCommand(const Evidence& evidence, const std::string& mutant,
                      const std::string& device) {
  Result<LimitCheck> check = Ask(evidence, mutant, device);
  return check.ok() ? *check : LimitCheck{std::nullopt, "the command: " + check.error().message};
}

}  // namespace mutatenn
