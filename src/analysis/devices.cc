// Outcomes of one mutant on several devices, image by image, to one word and a rank.
#include "analysis/devices.h"

#include <algorithm>
#include <map>
#include <set>

namespace mutatenn {

const char* SpreadName(Spread::Kind kind) {
  switch (kind) {
    case Spread::Kind::kEverywhere:
      return "everywhere";
    case Spread::Kind::kSome:
      return "some";
    case Spread::Kind::kNowhere:
      return "nowhere";
    case Spread::Kind::kNotCompared:
      break;
  }
  return "not compared";
}

Spread SpreadOf(const MutantView& mutant) {
  Spread spread;
  std::set<Verdict> verdicts;
  for (size_t d = 0; d < mutant.devices.size(); ++d) {
    Verdict verdict = mutant.devices[d].judgement.verdict;
    if (verdict != Verdict::kPending && verdict != Verdict::kIgnored &&
        verdict != Verdict::kUnstable)
      verdicts.insert(verdict);
    if (Valid(verdict) && !mutant.devices[d].outcomes.empty())
      spread.compared.push_back(static_cast<int>(d));
  }
  spread.verdicts_differ = verdicts.size() > 1;
  if (spread.compared.size() < 2) return spread;
  std::map<int, std::vector<const Outcome*>> runs;  // by image
  for (int d : spread.compared) {
    for (const Outcome& outcome : mutant.devices[static_cast<size_t>(d)].outcomes)
      runs[outcome.image].push_back(&outcome);
  }
  std::set<int> killed;
  for (const auto& [image, outcomes] : runs) {
    if (outcomes.size() < spread.compared.size()) continue;
    ++spread.images;
    bool same = true;
    for (size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i]->kills) killed.insert(spread.compared[i]);
      same &=
          outcomes[i]->label == outcomes[0]->label && outcomes[i]->ending == outcomes[0]->ending;
    }
    spread.disagreeing += !same;
  }
  if (spread.images == 0) return spread;
  spread.killed.assign(killed.begin(), killed.end());
  spread.kind = killed.empty()                            ? Spread::Kind::kNowhere
                : killed.size() == spread.compared.size() ? Spread::Kind::kEverywhere
                                                          : Spread::Kind::kSome;
  return spread;
}

std::vector<Spread> SpreadsOf(const ModelView& model) {
  std::vector<Spread> spreads;
  for (const MutantView& mutant : model.mutants) spreads.push_back(SpreadOf(mutant));
  return spreads;
}

std::vector<Disagreement> Disagreements(const std::vector<Spread>& spreads) {
  std::vector<Disagreement> found;
  for (size_t m = 0; m < spreads.size(); ++m) {
    if (spreads[m].disagreeing > 0 || spreads[m].verdicts_differ) found.push_back({m, spreads[m]});
  }
  auto share = [](const Spread& spread) {
    return spread.images > 0 ? static_cast<double>(spread.disagreeing) / spread.images : 0;
  };
  std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
    if (a.spread.verdicts_differ != b.spread.verdicts_differ) return a.spread.verdicts_differ;
    return share(a.spread) > share(b.spread);
  });
  return found;
}

}  // namespace mutatenn
