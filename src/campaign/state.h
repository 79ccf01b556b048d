// A mutant's life on one device as one explicit state machine. Every change goes through MoveTo, so
// an impossible one is a bug found at once, not a wrong count later.
//
//   planned --> built --> running --> done
//      |                    |  ^
//      |                    v  |
//      |                   pending   (worker lost, tool error, more images later)
//      +--> stillborn, equivalent    (never run)
#pragma once

#include "base/result.h"

namespace mutatenn {

enum class MutantState { kPlanned, kBuilt, kStillborn, kEquivalent, kRunning, kPending, kDone };

inline const char* StateName(MutantState state) {
  switch (state) {
    case MutantState::kPlanned:
      return "planned";
    case MutantState::kBuilt:
      return "built";
    case MutantState::kStillborn:
      return "stillborn";
    case MutantState::kEquivalent:
      return "equivalent";
    case MutantState::kRunning:
      return "running";
    case MutantState::kPending:
      return "pending";
    case MutantState::kDone:
      return "done";
  }
  return "unknown";
}

constexpr bool MayFollow(MutantState from, MutantState to) {
  switch (from) {
    case MutantState::kPlanned:
      return to == MutantState::kBuilt || to == MutantState::kStillborn ||
             to == MutantState::kEquivalent;
    // Stored fates can make a built mutant done without running it again.
    case MutantState::kBuilt:
      return to == MutantState::kRunning || to == MutantState::kDone;
    case MutantState::kRunning:
      return to == MutantState::kDone || to == MutantState::kPending;
    case MutantState::kPending:
      return to == MutantState::kRunning;
    case MutantState::kStillborn:
    case MutantState::kEquivalent:
    case MutantState::kDone:
      return false;
  }
  return false;
}

class MutantLife {
 public:
  MutantState state() const { return state_; }
  bool waiting() const { return state_ == MutantState::kBuilt || state_ == MutantState::kPending; }
  void MoveTo(MutantState next) {
    CHECK(MayFollow(state_, next), std::string(StateName(state_)) + " to " + StateName(next));
    state_ = next;
  }

 private:
  MutantState state_ = MutantState::kPlanned;
};

}  // namespace mutatenn
