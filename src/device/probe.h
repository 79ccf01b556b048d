// Single steps of the loaded program on values of the caller's choice, so that two devices can be
// given the same inputs. The worker keeps values by *set*, a name, and by index into
// Program::values; weights need not be put, they are the program's own. Nothing of it touches the
// chunk of images or mutants.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

struct Probe {
  struct Put {
    std::string set;
    int value = 0;
    std::string bytes;  // little-endian elements, all of them
  };
  struct Run {
    int step = 0;
    std::vector<std::string> from;  // each input is the first of these sets' that has it
    std::string to;
  };
  struct Compare {
    int value = 0;
    std::string set, with;  // differences of `set` to `with`
  };
  struct Get {
    std::string set;
    int value = 0;
  };
  bool fresh = false;  // first of all, every set is emptied
  std::vector<Put> puts;
  std::vector<Run> runs;  // after all puts, in order; then:
  std::vector<Compare> compares;
  std::vector<Get> gets;
  std::vector<int> forget;  // last: out of every set
  double limit_s = 0;       // wall time after which the worker ends itself; 0 = none
};

// Of one tensor to another of as many elements, or of several such pairs. Elements are compared as
// float32.
struct ValueDifference {
  int64_t elements = 0;
  int64_t differing = 0;   // in a bit
  int64_t nonfinite = 0;   // NaN or infinity on one side only, or another infinity
  double largest_abs = 0;  // of the differences where both are finite
  double scale = 0;        // largest finite magnitude of `with`
  // Least t with |set - with| <= t + t * |with| (atol = rtol = t), where both are finite.
  double tolerance = 0;
  int64_t worst = -1;  // index of the element that `tolerance` is of; -1 = none differs
  bool operator==(const ValueDifference&) const = default;
};
ValueDifference Differences(std::span<const float> values, std::span<const float> with);
// Adds another pair. `worst` becomes that of the pair with the larger tolerance.
void Add(const ValueDifference& more, ValueDifference* sum);

struct Probed {
  std::vector<ValueDifference> differences;  // one for each Probe::compares
  std::vector<std::string> values;           // bytes, one for each Probe::gets
};

Json ToJson(const Probe&);
Json ToJson(const ValueDifference&);
Json ToJson(const Probed&);
Result<Probe> ProbeFromJson(const Json&);
Result<Probed> ProbedFromJson(const Json&);

}  // namespace mutatenn
