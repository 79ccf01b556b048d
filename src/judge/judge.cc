// Scores to a top list, two top lists to killed or not, the fates of a mutant on a device to a
// verdict with its reason in one line.
#include "judge/judge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/result.h"
#include "judge/kill_rule.h"

namespace mutatenn {
namespace {

constexpr int kDegenerateImages = 10;  // fewer images say nothing about stuck outputs
constexpr size_t kDegenerateOriginalLabels = 5;

constexpr std::array<std::pair<Verdict, const char*>, 9> kVerdictNames = {{
    {Verdict::kKilled, "killed"},
    {Verdict::kSurvived, "survived"},
    {Verdict::kEquivalent, "equivalent"},
    {Verdict::kStillborn, "stillborn"},
    {Verdict::kCrashed, "crashed"},
    {Verdict::kTimeout, "timeout"},
    {Verdict::kUnstable, "unstable"},
    {Verdict::kIgnored, "ignored"},
    {Verdict::kPending, "pending"},
}};

constexpr std::array<std::pair<Ending, const char*>, 3> kEndingNames = {{
    {Ending::kOk, "ok"},
    {Ending::kCrashed, "crashed"},
    {Ending::kTimeout, "timeout"},
}};

template <class Table, class Key>
const char* NameIn(const Table& table, Key key) {
  for (const auto& [value, name] : table) {
    if (value == key) return name;
  }
  return "unknown";
}

template <class Value, class Table>
std::optional<Value> ValueIn(const Table& table, const std::string& wanted) {
  for (const auto& [value, name] : table) {
    if (wanted == name) return value;
  }
  return std::nullopt;
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string Label(const std::vector<Ranked>& top) {
  return top.empty() ? "none" : std::to_string(top.front().label);
}

std::string ReasonOf(const KillRule& rule, const Fate& fate, const std::vector<Ranked>& original) {
  std::string what;
  if (fate.ending != Ending::kOk) {
    what = fate.detail.empty() ? EndingName(fate.ending) : FirstLine(fate.detail);
  } else if (rule.kind == KillRule::Kind::kOutput || rule.kind == KillRule::Kind::kNoise) {
    what = fate.nonfinite ? "output not finite"
                          : "output differs by " + fmt::format("{:.3g}", fate.max_abs_diff);
  } else if (rule.kind == KillRule::Kind::kTopK) {
    what = "label " + Label(original) + " not among the best " + std::to_string(rule.k);
  } else {
    what = "label " + Label(original) + " -> " + Label(fate.top);
  }
  return what + " on " + fate.image;
}

bool Stable(const Evidence& evidence, size_t i) {
  return i >= evidence.repeats.size() || evidence.repeats[i].Stable();
}

// Hardly more than one label where the original has several: the paper's implicit crash.
bool IsDegenerate(const std::set<int64_t>& original, const std::set<int64_t>& mutant, int images) {
  return images >= kDegenerateImages && original.size() >= kDegenerateOriginalLabels &&
         mutant.size() <= static_cast<size_t>(std::max(1, images / 20));
}

}  // namespace

std::vector<Ranked> TopK(const float* scores, int64_t count, int k) {
  auto before = [](const Ranked& a, const Ranked& b) {
    bool a_nan = std::isnan(a.score), b_nan = std::isnan(b.score);
    if (a_nan != b_nan) return b_nan;
    if (!a_nan && a.score != b.score) return a.score > b.score;
    return a.label < b.label;
  };
  std::vector<Ranked> best;  // sorted, at most k long; k is small
  size_t limit = static_cast<size_t>(std::max(k, 1));
  best.reserve(limit + 1);
  for (int64_t i = 0; i < count; ++i) {
    Ranked next{i, static_cast<double>(scores[i])};
    if (best.size() == limit && !before(next, best.back())) continue;
    best.insert(std::upper_bound(best.begin(), best.end(), next, before), next);
    if (best.size() > limit) best.pop_back();
  }
  return best;
}

const char* VerdictName(Verdict verdict) { return NameIn(kVerdictNames, verdict); }

std::optional<Verdict> VerdictFromName(const std::string& name) {
  return ValueIn<Verdict>(kVerdictNames, name);
}

const char* EndingName(Ending ending) { return NameIn(kEndingNames, ending); }

std::optional<Ending> EndingFromName(const std::string& name) {
  return ValueIn<Ending>(kEndingNames, name);
}

bool KilledByTop1(const std::vector<Ranked>& original, const std::vector<Ranked>& mutant) {
  if (original.empty() || mutant.empty()) return original.empty() != mutant.empty();
  return original.front().label != mutant.front().label;
}

size_t JudgedFates(const Evidence& evidence) {
  size_t all = evidence.fates.size();
  if (evidence.full_matrix) return all;
  for (size_t i = 0; i < all; ++i) {
    const Fate& fate = evidence.fates[i];
    if (fate.ending != Ending::kOk) return i + 1;
    if (Stable(evidence, i) && KilledByTop1(evidence.originals[i], fate.top)) return i + 1;
  }
  return all;
}

bool Detects(const Evidence& evidence, size_t i) {
  const Fate& fate = evidence.fates[i];
  return fate.ending != Ending::kOk ||
         (Stable(evidence, i) && KillsImage(evidence.rule, evidence.originals[i], fate));
}

Judgement Judge(const Evidence& evidence) {
  CHECK(evidence.fates.size() == evidence.originals.size(), "an original for each fate");
  Judgement judged;
  if (evidence.build == "stillborn" || evidence.build == "equivalent") {
    bool stillborn = evidence.build == "stillborn";
    judged.verdict = stillborn ? Verdict::kStillborn : Verdict::kEquivalent;
    judged.reason = FirstLine(evidence.build_reason);
    if (judged.reason.empty()) judged.reason = stillborn ? "does not compile" : "same machine code";
    return judged;
  }
  if (evidence.build == "ignored") {
    judged.verdict = Verdict::kIgnored;
    judged.reason = FirstLine(evidence.build_reason);
    return judged;
  }
  if (evidence.build != "ok") {
    judged.reason = "not built yet";
    return judged;
  }

  if (!evidence.fates.empty() && evidence.fates.front().ending == Ending::kCrashed &&
      evidence.fates.front().detail.starts_with(kDoesNotCompile)) {
    judged.verdict = Verdict::kStillborn;
    judged.reason = FirstLine(evidence.fates.front().detail);
    return judged;
  }

  const size_t count = JudgedFates(evidence);
  bool by_image = !OverAllImages(evidence.rule);
  bool detected = false;
  std::optional<size_t> unstable;  // the first fate that kills where the original is not stable
  std::set<int64_t> original_labels, mutant_labels;
  for (size_t i = 0; i < count; ++i) {
    const Fate& fate = evidence.fates[i];
    const std::vector<Ranked>& original = evidence.originals[i];
    judged.nonfinite |= fate.nonfinite;
    if (fate.ending == Ending::kOk) {
      ++judged.images_compared;
      judged.images_differing += KilledByTop1(original, fate.top);
      if (!original.empty()) original_labels.insert(original.front().label);
      if (!fate.top.empty()) mutant_labels.insert(fate.top.front().label);
    }
    if (detected || (!by_image && fate.ending == Ending::kOk)) continue;
    if (!Detects(evidence, i)) {
      if (!unstable && KillsImage(evidence.rule, original, fate)) unstable = i;
      continue;
    }
    detected = true;
    judged.killing_image = fate.image;
    judged.reason = ReasonOf(evidence.rule, fate, original);
    judged.verdict = fate.ending == Ending::kCrashed   ? Verdict::kCrashed
                     : fate.ending == Ending::kTimeout ? Verdict::kTimeout
                                                       : Verdict::kKilled;
  }
  judged.degenerate = IsDegenerate(original_labels, mutant_labels, judged.images_compared);
  if (detected) return judged;
  int ended = static_cast<int>(count);
  bool complete = ended > 0 && ended >= evidence.images_planned;
  LimitCheck check = by_image ? LimitCheck{false, ""} : PassedLimit(evidence, complete);
  std::string planned = std::to_string(evidence.images_planned);
  if (complete && unstable) {
    judged.verdict = Verdict::kUnstable;
    judged.reason =
        ReasonOf(evidence.rule, evidence.fates[*unstable], evidence.originals[*unstable]) +
        ", where the original's own label changes";
  } else if (check.passed.value_or(false)) {
    judged.verdict = Verdict::kKilled;
    judged.reason = check.reason;
  } else if (complete && check.passed) {
    judged.verdict = Verdict::kSurvived;
    judged.reason = evidence.rule.kind == KillRule::Kind::kTop1 ? "same label on " : "accepted on ";
    judged.reason += planned + (ended == 1 ? " image" : " images");
  } else {
    judged.reason =
        complete ? check.reason : std::to_string(ended) + " of " + planned + " images run";
  }
  return judged;
}

bool Detected(Verdict verdict) {
  return verdict == Verdict::kKilled || verdict == Verdict::kCrashed ||
         verdict == Verdict::kTimeout;
}

bool Valid(Verdict verdict) { return Detected(verdict) || verdict == Verdict::kSurvived; }

}  // namespace mutatenn
