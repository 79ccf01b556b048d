// Which lowering pass, and which application of it, makes a step differ on two sides: by leaving
// passes out of one side's compilation. CPUs only; sides whose programs were compiled here.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "campaign/explain.h"

namespace mutatenn {

// The least k in 1..n with bad(k), where bad(0) is false, bad(n) true, and bad(k - 1) was seen to
// be false; nothing where the ends are not so, or what is unknown (no value) hides the place.
Result<std::optional<int>> FirstBad(int n,
                                    const std::function<Result<std::optional<bool>>(int k)>& bad);

struct Bisection {
  std::string step;                // on the first side
  std::string side;                // whose passes were left out or put back
  std::vector<std::string> tried;  // the passes that were in question, in order
  std::string pass;                // that makes the difference, "" = none does
  bool left_out = false;           // the side lacks it and the other has it; else the side runs it
  int application = 0, applications = 0;  // of `pass` among those of its name, from 1
  bool alone = false;  // the difference also goes when this one is changed and nothing else
  int builds = 0;
};

// Sides that leave out different passes (level 2 leaves out normalising and scheduling): of those
// the one that matters. Else, of the second side, the first pass from which on there is a
// difference when all behind it that can be left out are.
Result<Bisection> Bisect(Side& a, Side& b, const Comparison& comparison, int step,
                         const CompareInput& input, Progress& progress);

Json ToJson(const Bisection& bisection);

}  // namespace mutatenn
