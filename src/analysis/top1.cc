// Two outputs to one bit: the rule by which a mutant is killed also compares devices.
#include "analysis/metrics.h"

namespace mutatenn {

bool Top1Differs(const std::vector<Ranked>& a, const std::vector<Ranked>& b) {
  return KilledByTop1(a, b);
}

}  // namespace mutatenn
