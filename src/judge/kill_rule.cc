// Kill rules from text, and their application to the output of one image or of all.
#include "judge/kill_rule.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/number.h"
#include "judge/fisher_rule.h"
#include "judge/noise_rule.h"

namespace mutatenn {
namespace {

constexpr const char* kForms =
    "'top1', 'topk:K', 'output:TOLERANCE', 'noise', 'fisher:SIGNIFICANCE', "
    "'accept:max_accuracy_drop=X,max_label_changes=N,max_recall_drop=X' (any of the three) or "
    "'accept:command=COMMAND'";
constexpr std::string_view kCommand = "command=";

std::optional<double> AtLeast0(const std::string& text) {
  std::optional<double> value = NumberFrom<double>(text);
  return value && *value >= 0 ? value : std::nullopt;
}

Result<KillRule> ParseLimits(const std::string& text, const std::string& limits) {
  Error malformed = Fail(Code::kInvalidInput, "kill rule '", text, "': say ", kForms);
  KillRule rule{.kind = KillRule::Kind::kAcceptance};
  if (limits.starts_with(kCommand)) {
    rule.command = limits.substr(kCommand.size());
    return rule.command.empty() ? Result<KillRule>(malformed) : rule;
  }
  for (size_t from = 0; from < limits.size();) {
    size_t to = std::min(limits.find(',', from), limits.size());
    std::string limit = limits.substr(from, to - from);
    size_t equals = std::min(limit.find('='), limit.size() - 1);
    std::string name = limit.substr(0, equals);
    std::string number = limit.substr(equals + 1);
    std::optional<double> value = AtLeast0(number);
    if (!value) return malformed;
    if (name == "max_accuracy_drop") {
      rule.max_accuracy_drop = value;
    } else if (name == "max_recall_drop") {
      rule.max_recall_drop = value;
    } else if (name == "max_label_changes" && NumberFrom<int>(number)) {
      rule.max_label_changes = NumberFrom<int>(number);
    } else {
      return malformed;
    }
    from = to + 1;
  }
  if (!rule.max_accuracy_drop && !rule.max_recall_drop && !rule.max_label_changes) return malformed;
  return rule;
}

// Right first labels of one class, or of all, by original and mutant.
struct Right {
  int images = 0, original = 0, mutant = 0;
  double Drop() const { return images ? static_cast<double>(original - mutant) / images : 0; }
};

}  // namespace

Result<KillRule> ParseKillRule(const std::string& text) {
  Error malformed = Fail(Code::kInvalidInput, "kill rule '", text, "': say ", kForms);
  if (text == "top1") return KillRule{};
  if (text == "noise") return KillRule{.kind = KillRule::Kind::kNoise};
  if (text == "fisher") return KillRule{.kind = KillRule::Kind::kFisher};
  size_t colon = text.find(':');
  if (colon == std::string::npos) return malformed;
  std::string name = text.substr(0, colon), rest = text.substr(colon + 1);
  if (name == "accept") return ParseLimits(text, rest);
  std::optional<double> value = AtLeast0(rest);
  if (name == "output" && value)
    return KillRule{.kind = KillRule::Kind::kOutput, .tolerance = *value};
  if (name == "fisher" && value && *value > 0 && *value < 1)
    return KillRule{.kind = KillRule::Kind::kFisher, .significance = *value};
  std::optional<int> k = NumberFrom<int>(rest);
  if (name == "topk" && k && *k >= 1) return KillRule{.kind = KillRule::Kind::kTopK, .k = *k};
  return malformed;
}

std::string KillRuleText(const KillRule& rule) {
  switch (rule.kind) {
    case KillRule::Kind::kTop1:
      return "top1";
    case KillRule::Kind::kTopK:
      return fmt::format("topk:{}", rule.k);
    case KillRule::Kind::kOutput:
      return fmt::format("output:{}", rule.tolerance);
    case KillRule::Kind::kNoise:
      return "noise";
    case KillRule::Kind::kFisher:
      return fmt::format("fisher:{}", rule.significance);
    case KillRule::Kind::kAcceptance:
      break;
  }
  if (!rule.command.empty()) return fmt::format("accept:{}{}", kCommand, rule.command);
  std::string text;
  auto add = [&](const char* name, const auto& limit) {
    if (limit) text += fmt::format("{}{}={}", text.empty() ? "accept:" : ",", name, *limit);
  };
  add("max_accuracy_drop", rule.max_accuracy_drop);
  add("max_label_changes", rule.max_label_changes);
  add("max_recall_drop", rule.max_recall_drop);
  return text;
}

bool OverAllImages(const KillRule& rule) {
  return rule.kind == KillRule::Kind::kAcceptance || rule.kind == KillRule::Kind::kFisher;
}

bool KillsImage(const KillRule& rule, const std::vector<Ranked>& original, const Fate& fate) {
  if (rule.kind == KillRule::Kind::kOutput)
    return fate.nonfinite || !(fate.max_abs_diff <= rule.tolerance);  // a NaN difference kills
  if (rule.kind == KillRule::Kind::kNoise) return KillsByNoise(rule, fate);
  if (rule.kind != KillRule::Kind::kTopK) return KilledByTop1(original, fate.top);
  if (original.empty() || fate.top.empty()) return original.empty() != fate.top.empty();
  auto end = fate.top.begin() + std::min<long>(rule.k, static_cast<long>(fate.top.size()));
  return std::none_of(fate.top.begin(), end,
                      [&](const Ranked& entry) { return entry.label == original.front().label; });
}

LimitCheck PassedLimit(const Evidence& evidence, bool complete) {
  const KillRule& rule = evidence.rule;
  if (rule.kind == KillRule::Kind::kFisher) return FisherCheck(evidence, complete);
  if (!rule.command.empty())
    return complete && evidence.ask ? evidence.ask(evidence) : LimitCheck{};
  int changes = 0;
  Right all;
  std::map<int64_t, Right> classes;
  for (size_t i = 0; i < JudgedFates(evidence); ++i) {
    const std::vector<Ranked>& original = evidence.originals[i];
    const std::vector<Ranked>& mutant = evidence.fates[i].top;
    changes += KilledByTop1(original, mutant);
    int64_t truth = i < evidence.truths.size() ? evidence.truths[i] : -1;
    if (truth < 0) continue;
    for (Right* right : {&all, &classes[truth]}) {
      ++right->images;
      right->original += !original.empty() && original.front().label == truth;
      right->mutant += !mutant.empty() && mutant.front().label == truth;
    }
  }
  // The one limit that more images cannot undo.
  if (rule.max_label_changes && changes > *rule.max_label_changes) {
    return {true, fmt::format("{} label changes, {} accepted", changes, *rule.max_label_changes)};
  }
  if (!complete) return {};
  bool needs_truth = rule.max_accuracy_drop || rule.max_recall_drop;
  if (needs_truth && all.images == 0) return {std::nullopt, "no image has a truth"};
  if (rule.max_accuracy_drop && all.Drop() > *rule.max_accuracy_drop) {
    return {true, fmt::format("accuracy {}/{} -> {}/{}, a drop of {:.4g} accepted", all.original,
                              all.images, all.mutant, all.images, *rule.max_accuracy_drop)};
  }
  if (rule.max_recall_drop) {
    for (const auto& [truth, right] : classes) {
      if (right.Drop() <= *rule.max_recall_drop) continue;
      return {true, fmt::format("recall of class {} {}/{} -> {}/{}, a drop of {:.4g} accepted",
                                truth, right.original, right.images, right.mutant, right.images,
                                *rule.max_recall_drop)};
    }
  }
  return {false, ""};
}

}  // namespace mutatenn
