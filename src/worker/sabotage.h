// Ways to break the fast executor on purpose, in the test program mutatenn-worker-sabotage only: a
// comparison with the slow oracle has to catch each of them.
#pragma once

namespace mutatenn {

enum class Sabotage { kNone, kSkipLastStep, kStaleReference, kWrongImage, kDeviceLost };

// kNone in the worker itself (sabotage.cc); the test program has a definition of its own
// (tests/support/sabotage.cc), which takes the place of the weak one.
Sabotage ActiveSabotage();

}  // namespace mutatenn
