// Counting verdicts, per device, over all of them and by groups of mutants.
#include "analysis/scores.h"

#include <algorithm>
#include <map>
#include <set>

#include "judge/kill_rule.h"

namespace mutatenn {
namespace {

// Devices whose runs a mutant's detection is looked for in.
std::vector<size_t> DevicesOf(const MutantView& mutant, std::optional<int> device) {
  if (device) return {static_cast<size_t>(*device)};
  std::vector<size_t> all(mutant.devices.size());
  for (size_t d = 0; d < all.size(); ++d) all[d] = d;
  return all;
}

Verdict VerdictOf(const MutantView& mutant, std::optional<int> device) {
  return device ? mutant.devices[static_cast<size_t>(*device)].judgement.verdict
                : OverallVerdict(mutant);
}

// Per operator use: a use's sample was drawn from its own mutants.
std::optional<SampledScore> Sampled(const ModelView& model, std::optional<int> device,
                                    const MutantSet& mutants) {
  std::map<std::string, Stratum> strata;
  bool sampled = false;
  for (const StoredOperatorUse& use : model.uses) {
    Stratum& stratum = strata[use.op_key];
    stratum.population = use.mutants;
    stratum.drawn = use.selected;
  }
  std::set<std::string> touched;
  for (size_t index : mutants) {
    const MutantView& mutant = model.mutants[index];
    Stratum& stratum = strata[mutant.stored.op_key];
    sampled |= stratum.drawn < stratum.population;
    touched.insert(mutant.stored.op_key);
    Score one;
    one.Add(mutant, VerdictOf(mutant, device));
    stratum.valid += one.valid;
    stratum.detected += one.detected;
  }
  if (!sampled) return std::nullopt;
  std::vector<Stratum> used;
  for (const std::string& key : touched) used.push_back(strata[key]);
  return StratifiedScore(used);
}

std::vector<Group> Sorted(std::map<std::string, MutantSet>&& groups) {
  std::vector<Group> sorted;
  for (auto& [name, mutants] : groups) sorted.push_back({name, std::move(mutants)});
  return sorted;
}

std::string Text(const Json& point, const char* key) {
  bool has = point.is_object() && point.contains(key) && point[key].is_string();
  return has ? point[key].get<std::string>() : "";
}

}  // namespace

int Score::Total() const {
  int total = marked;
  for (int count : counts) total += count;
  return total;
}

std::optional<double> Score::Value() const {
  if (valid == 0) return std::nullopt;
  return static_cast<double>(detected) / valid;
}

std::optional<Interval> Score::Wilson() const {
  return valid == 0 ? std::nullopt : WilsonInterval(*Value(), valid);
}

void Score::Add(const MutantView& mutant, Verdict verdict) {
  if (mutant.mark && verdict == Verdict::kSurvived) {
    ++marked;
    return;
  }
  ++counts[static_cast<size_t>(verdict)];
  detected += Detected(verdict);
  valid += Valid(verdict);
}

std::optional<double> ScoreWithIntervals::LowerBound() const {
  if (population) return population->interval.low;
  return mutants ? std::optional(mutants->low) : std::nullopt;
}

MutantSet AllMutants(const ModelView& model) {
  MutantSet all(model.mutants.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

Score ScoreOn(const ModelView& model, int device, const MutantSet& mutants) {
  Score score;
  for (size_t index : mutants)
    score.Add(model.mutants[index], VerdictOf(model.mutants[index], device));
  return score;
}

Verdict OverallVerdict(const MutantView& mutant) {
  std::array<int, kVerdicts> counts{};
  for (const DeviceResult& result : mutant.devices) {
    ++counts[static_cast<size_t>(result.judgement.verdict)];
  }
  auto count = [&](Verdict verdict) { return counts[static_cast<size_t>(verdict)]; };
  for (Verdict verdict : {Verdict::kKilled, Verdict::kCrashed, Verdict::kTimeout,
                          Verdict::kSurvived, Verdict::kPending}) {
    if (count(verdict) > 0) return verdict;
  }
  Verdict most = Verdict::kPending;
  for (Verdict verdict :
       {Verdict::kEquivalent, Verdict::kStillborn, Verdict::kUnstable, Verdict::kIgnored}) {
    if (count(verdict) > count(most)) most = verdict;
  }
  return most;
}

Score OverallScore(const ModelView& model, const MutantSet& mutants) {
  Score score;
  for (size_t index : mutants)
    score.Add(model.mutants[index], OverallVerdict(model.mutants[index]));
  return score;
}

Score Top1Score(const ModelView& model, int device, const MutantSet& mutants) {
  Score score;
  for (size_t index : mutants)
    score.Add(model.mutants[index], model.mutants[index].devices[static_cast<size_t>(device)].top1);
  return score;
}

ScoreWithIntervals ScoreOf(const ModelView& model, std::optional<int> device,
                           const MutantSet& mutants) {
  ScoreWithIntervals result;
  result.score = device ? ScoreOn(model, *device, mutants) : OverallScore(model, mutants);
  result.population = Sampled(model, device, mutants);
  result.mutants = result.score.Wilson();
  Score guarded;
  bool left = false;
  for (size_t index : mutants) {
    const MutantView& mutant = model.mutants[index];
    bool outside = false;
    for (size_t d : DevicesOf(mutant, device)) {
      outside |= mutant.devices[d].out_of_bounds.has_value();
    }
    Verdict verdict = VerdictOf(mutant, device);
    bool survived = verdict == Verdict::kSurvived && outside;
    left |= outside;
    guarded.Add(mutant, survived ? Verdict::kCrashed : verdict);
  }
  if (left) result.guarded = guarded;
  return result;
}

// A mutant that was detected before all images ran (a crash ends its
// runs) is detected in every resample.
std::optional<Interval> OverImages(const CampaignView& view, const ModelView& model,
                                   std::optional<int> device, const MutantSet& mutants) {
  if (!view.full_matrix || OverAllImages(view.rule)) return std::nullopt;
  // Image i: bit i % 64 of word i / 64.
  const size_t images = model.images.size(), words = (images + 63) / 64;
  auto set = [](uint64_t* bits, size_t i) { bits[i / 64] |= uint64_t{1} << (i % 64); };
  std::vector<uint64_t> killers;  // of each detected mutant: its killing images
  int valid = 0;
  for (size_t index : mutants) {
    const MutantView& mutant = model.mutants[index];
    Score one;
    one.Add(mutant, VerdictOf(mutant, device));
    valid += one.valid;
    if (one.detected == 0) continue;
    killers.resize(killers.size() + words);
    uint64_t* bits = killers.data() + killers.size() - words;
    for (size_t d : DevicesOf(mutant, device)) {
      const DeviceResult& result = mutant.devices[d];
      bool cut_short = Detected(result.judgement.verdict) && !result.complete;
      for (size_t image = 0; cut_short && image < images; ++image) set(bits, image);
      for (const Outcome& outcome : result.outcomes) {
        if (outcome.kills) set(bits, static_cast<size_t>(outcome.image));
      }
    }
  }
  if (valid == 0) return std::nullopt;
  std::vector<uint64_t> drawn(words);
  return BootstrapInterval(static_cast<int>(images), [&](const std::vector<int>& times) {
    std::fill(drawn.begin(), drawn.end(), 0);
    for (size_t image = 0; image < images; ++image) {
      if (times[image] > 0) set(drawn.data(), image);
    }
    int detected = 0;
    for (size_t at = 0; at < killers.size(); at += words) {
      uint64_t common = 0;
      for (size_t word = 0; word < words; ++word) common |= killers[at + word] & drawn[word];
      detected += common != 0;
    }
    return std::optional(static_cast<double>(detected) / valid);
  });
}

std::vector<Group> ByOperator(const ModelView& model) {
  std::map<std::string, MutantSet> groups;
  for (const StoredOperatorUse& use : model.uses) groups[use.op_id];  // also without mutants
  for (size_t i : AllMutants(model)) groups[model.mutants[i].stored.op_id].push_back(i);
  return Sorted(std::move(groups));
}

std::vector<Group> ByCategory(const ModelView& model) {
  std::map<std::string, MutantSet> groups;
  for (size_t i : AllMutants(model)) groups[model.mutants[i].stored.category].push_back(i);
  return Sorted(std::move(groups));
}

std::vector<Group> ByKernel(const ModelView& model) {
  std::map<std::string, MutantSet> groups;
  for (size_t i : AllMutants(model)) {
    std::set<std::string> kernels;
    for (const Json& point : model.mutants[i].points) {
      std::string key = Text(point, "kernel");
      kernels.insert(key.empty() ? "" : Text(point, "role") + " " + key.substr(0, 8));
    }
    if (kernels.size() == 1 && !kernels.begin()->empty()) groups[*kernels.begin()].push_back(i);
  }
  return Sorted(std::move(groups));
}

std::vector<Group> ByLayer(const ModelView& model) {
  std::map<std::string, MutantSet> groups;
  for (size_t i : AllMutants(model)) {
    std::set<std::string> layers;
    bool own = true;
    for (const Json& point : model.mutants[i].points) {
      own &= Text(point, "level") == "graph" || !Text(point, "step").empty();
      if (!point.is_object() || !point.contains("layers")) continue;
      for (const Json& layer : point["layers"]) {
        if (layer.is_string()) layers.insert(layer.get<std::string>());
      }
    }
    if (!own) continue;
    for (const std::string& layer : layers) groups[layer].push_back(i);
  }
  return Sorted(std::move(groups));
}

std::vector<ClassScore> ByClass(const ModelView& model, int device) {
  std::map<int64_t, ClassScore> classes;
  for (const StoredImage& image : model.images) {
    if (image.truth < 0) continue;
    ClassScore& score = classes[image.truth];
    score.truth = image.truth;
    ++score.images;
  }
  for (const MutantView& mutant : model.mutants) {
    const DeviceResult& result = mutant.devices[static_cast<size_t>(device)];
    Score one;
    one.Add(mutant, result.judgement.verdict);
    if (one.valid == 0 || !result.complete) continue;
    std::set<int64_t> detecting;
    for (const Outcome& outcome : result.outcomes) {
      if (outcome.kills) detecting.insert(model.images[static_cast<size_t>(outcome.image)].truth);
    }
    for (auto& [truth, score] : classes) {
      ++score.score.valid;
      score.score.detected += detecting.count(truth) > 0;
    }
  }
  std::vector<ClassScore> sorted;
  for (const auto& [truth, score] : classes) sorted.push_back(score);
  return sorted;
}

}  // namespace mutatenn
