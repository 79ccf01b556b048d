// How long this process holds a core at a time.
#pragma once

namespace mutatenn {

// For a process that mostly waits and then hands out work: short turns, for which Linux (6.12 and
// later) runs it as soon as it is woken, even where longer ones use every core. Without, a message
// between two such processes waits up to 3 ms for a mutant's turn to end. Threads started before
// keep their turns; child processes get the usual ones. Elsewhere it changes nothing.
void TakeShortTurns();

}  // namespace mutatenn
