// A binary search over how many of the passes in question are as on one side.
#include "campaign/bisect.h"

#include <algorithm>
#include <map>
#include <set>

namespace mutatenn {
namespace {

// TVM has passes of one name in several name spaces.
std::string NameOf(const std::string& numbered) {
  const size_t space = numbered.rfind('.') + 1;
  return numbered.substr(space, numbered.find(" #") - space);
}

bool Has(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// Differences of a side's step to the other's fixed outputs, by the passes that are left out.
class Trial {
 public:
  Trial(Side& side, const StepAlone& step, std::vector<std::string> other, double floor)
      : side_(side), step_(step), other_(std::move(other)), floor_(floor) {}

  struct Outcome {
    bool bad = false;
    std::vector<std::string> outputs;
  };
  // In the order of `dropped`; nothing where TVM refuses the code.
  Result<std::vector<std::optional<Outcome>>> Without(
      const std::vector<std::vector<std::string>>& dropped) {
    std::vector<Rebuilding> how;
    for (const auto& passes : dropped)
      how.push_back({.kernels = step_.KernelsOf(side_), .dropped = passes});
    builds_ += static_cast<int>(how.size());
    std::vector<std::optional<Outcome>> outcomes;
    for (const Result<Program>& program : TRY(Rebuild(side_, how, Dropped::kExactly))) {
      outcomes.emplace_back();
      if (!program.ok()) continue;
      Outcome outcome;
      outcome.outputs = TRY(step_.Run(side_, program.value()));
      outcome.bad = step_.Difference(other_, outcome.outputs) > floor_;
      outcomes.back() = std::move(outcome);
    }
    return outcomes;
  }
  int builds() const { return builds_; }

 private:
  Side& side_;
  const StepAlone& step_;
  std::vector<std::string> other_;
  double floor_;
  int builds_ = 0;
};

}  // namespace

Result<std::optional<int>> FirstBad(int n,
                                    const std::function<Result<std::optional<bool>>(int)>& bad) {
  std::map<int, std::optional<bool>> seen;
  auto at = [&](int k) -> Result<std::optional<bool>> {
    if (!seen.contains(k)) seen[k] = TRY(bad(k));
    return seen[k];
  };
  const std::optional<bool> first = TRY(at(0)), last = TRY(at(n));
  if (!first || *first || !last || !*last) return std::optional<int>();
  int good = 0, worst = n;
  while (worst - good > 1) {
    // The known one that is nearest to the middle.
    const int middle = good + (worst - good) / 2;
    std::optional<int> next;
    for (int away = 0; away < worst - good && !next; ++away)
      for (int k : {middle - away, middle + away})
        if (!next && k > good && k < worst && TRY(at(k))) next = k;
    if (!next) return std::optional<int>();
    (*seen[*next] ? worst : good) = *next;
  }
  return std::optional<int>(worst);
}

Result<Bisection> Bisect(Side& a, Side& b, const Comparison& comparison, int index,
                         const CompareInput& input, Progress& progress) {
  const ComparedStep& compared = comparison.steps.at(static_cast<size_t>(index));
  if (a.generator == nullptr || b.generator == nullptr)
    return Fail(Code::kUnsupported, "only what was compiled here can be bisected");
  const StepAlone step = TRY(StepAlone::Prepare(a, b, index, input));
  // What was compiled without schedules cannot be given any.
  const bool first_side = Has(b.dropped, kNormalizePass) && !Has(a.dropped, kNormalizePass);
  Side &tried = first_side ? a : b, &fixed = first_side ? b : a;
  Bisection found{.step = compared.name, .side = tried.name};
  const auto wanted = TRY(step.Run(fixed, fixed.program));
  const auto as_it_is = TRY(step.Run(tried, tried.program));
  Trial trial(tried, step, wanted, compared.floor);
  const std::vector<std::string> passes = CpuPasses();
  progress.Begin("bisecting", std::ssize(passes));

  std::vector<std::string> alone;  // that remove the difference by themselves
  for (const std::string& pass : passes)
    if (Has(fixed.dropped, pass) != Has(tried.dropped, pass)) found.tried.push_back(pass);
  const bool differing_lists = !found.tried.empty();
  if (!differing_lists) {
    // What can be left out: the code is made, and gives the same, or what the other side gives.
    std::vector<std::vector<std::string>> each;
    std::vector<std::string> candidates;
    for (const std::string& pass : passes) {
      if (Has(tried.dropped, pass)) continue;
      candidates.push_back(pass);
      each.push_back(tried.dropped);
      each.back().push_back(pass);
    }
    const auto outcomes = TRY(trial.Without(each));
    for (size_t i = 0; i < candidates.size(); ++i) {
      if (!outcomes[i]) continue;
      if (outcomes[i]->bad && outcomes[i]->outputs != as_it_is) continue;
      found.tried.push_back(candidates[i]);
      if (!outcomes[i]->bad) alone.push_back(candidates[i]);
    }
  }
  // The first k as on this side; the others as on the other, or left out.
  auto dropped_at = [&](int k) {
    std::vector<std::string> dropped;
    for (const std::string& pass : passes) {
      const auto place = std::find(found.tried.begin(), found.tried.end(), pass);
      const bool as_here = place - found.tried.begin() < k;
      const bool in_question = place != found.tried.end();
      if (in_question && !as_here ? (differing_lists ? Has(fixed.dropped, pass) : true)
                                  : Has(tried.dropped, pass))
        dropped.push_back(pass);
    }
    return dropped;
  };
  const int count = static_cast<int>(found.tried.size());
  const std::optional<int> first = TRY(FirstBad(count, [&](int k) -> Result<std::optional<bool>> {
    const auto outcome = TRY(trial.Without({dropped_at(k)}))[0];
    progress.Count();
    if (!outcome) return std::optional<bool>();
    return std::optional<bool>(outcome->bad);
  }));
  progress.End();
  if (first) {
    found.pass = found.tried[static_cast<size_t>(*first - 1)];
    found.left_out = Has(tried.dropped, found.pass);
    for (const std::string& pass : passes) {
      if (NameOf(pass) != NameOf(found.pass)) continue;
      ++found.applications;
      if (pass == found.pass) found.application = found.applications;
    }
    if (differing_lists) {
      std::vector<std::string> changed = tried.dropped;
      if (found.left_out)
        std::erase(changed, found.pass);
      else
        changed.push_back(found.pass);
      const auto outcome = TRY(trial.Without({changed}))[0];
      found.alone = outcome && !outcome->bad;
    } else {
      found.alone = Has(alone, found.pass);
    }
  }
  found.builds = trial.builds();
  return found;
}

Json ToJson(const Bisection& bisection) {
  return {{"step", bisection.step},
          {"side", bisection.side},
          {"tried", bisection.tried},
          {"pass", bisection.pass},
          {"left_out", bisection.left_out},
          {"application", bisection.application},
          {"applications", bisection.applications},
          {"alone", bisection.alone},
          {"builds", bisection.builds}};
}

}  // namespace mutatenn
