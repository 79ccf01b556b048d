// When a mutant counts as killed: a rule for each image, or acceptance limits over all images.
// Rules are applied to stored fates, so that a campaign can be judged again by another one.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "judge/judge.h"

namespace mutatenn {

// "top1", "topk:5", "output:1e-3", "noise", "fisher" or "fisher:0.01", "accept:" with limits from
// max_accuracy_drop, max_label_changes, max_recall_drop
// ("accept:max_accuracy_drop=0.02,max_label_changes=3"), or "accept:command=COMMAND".
// kInvalidInput says what is wrong with another text.
Result<KillRule> ParseKillRule(const std::string& text);
// The text that is parsed to this rule.
std::string KillRuleText(const KillRule& rule);

// Whether no image kills alone: the rule looks at all of them.
bool OverAllImages(const KillRule& rule);
// Whether the output of one image kills by a rule for each image; by the others as `top1`.
bool KillsImage(const KillRule& rule, const std::vector<Ranked>& original, const Fate& fate);

// What a rule over all images says of fates that all gave an output. Not known while `complete` is
// false and the images still to come could decide it.
LimitCheck PassedLimit(const Evidence& evidence, bool complete);

}  // namespace mutatenn
