// `positions` of an operator's use: which of its points one mutant has. Read and checked here for
// the configuration, picked here for the mutants, so that the two cannot disagree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

struct Positions {
  // One mutant for each kernel (at level graph: for each Relax operator) instead of one for the
  // program; numbers and shares then count the points of the kernel.
  bool per_kernel = false;
  double share = 0;                  // of all points, above 0 and at most 1; 0 = by `ranges`
  bool first = false, last = false;  // "start", "end"
  static constexpr size_t kToTheEnd = SIZE_MAX;
  struct Range {
    size_t from = 0, to = 0;  // both included
  };
  std::vector<Range> ranges;
};

inline constexpr const char* kPositionsForms =
    "\"all\", \"start\", \"end\", a percentage such as \"20%\", a range such as \"2-5\" or \"2-\", "
    "a list of point numbers and ranges such as [3, \"5-7\"], or {\"per_kernel\": one of these}";

// kInvalidInput: what is wrong, without the key before it.
Result<Positions> PositionsFromJson(const Json& json);
// Of `count` points, ascending, each once. Numbers beyond the last point are left out: whether they
// are an error the caller knows, by LargestNumber.
std::vector<size_t> Pick(const Positions& positions, size_t count);
// The largest number named; 0 where none is.
size_t LargestNumber(const Positions& positions);

}  // namespace mutatenn
