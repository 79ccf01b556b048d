// Kernels for targets with threads: dlight's schedule of a function, as the front end recorded it,
// applied to the function and to its mutants alike; where it does not fit, a plain one.
#pragma once

#include <string>

#include "compile/schedule/schedule.h"

namespace mutatenn {

// `trace`: TVM's JSON of a schedule's primitives, "" = none. Rule "dlight", or "plain" with `why`:
// every block's spatial loops spread over blocks of threads. A mutant's function may need the plain
// one, a reduction that is none any more for instance. kTvm where neither is possible.
Result<Scheduled> ScheduleThreads(const Node& function, const std::string& trace);

}  // namespace mutatenn
