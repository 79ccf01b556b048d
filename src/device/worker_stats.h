// Where a worker's time went and what it saved, over one session. Counts are numbers of the same
// kind, so that one list of figures serves sums, messages and reports.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

struct WorkerStats {
  // The mutants' processes, in seconds. `children_s` is their whole lives, from before the fork
  // until they are reaped; the rest is parts of it.
  double children_s = 0;
  double fork_s = 0;        // fork and isolation, until our code runs in the child
  double load_s = 0;        // libraries, weights, buffers
  double kernels_s = 0;     // steps of the mutants
  double remake_s = 0;      // steps of the original, made again for want of memory
  double compare_s = 0;     // with the original's values
  double guard_copy_s = 0;  // values into and out of guarded and plain memory, and its checks
  double guard_run_s = 0;   // the mutated step's run in guarded memory
  double exit_s = 0;        // from the child's last word until it is reaped
  double reference_s = 0;   // the original over images
  double rpc_s = 0;         // messages: CPU time at both ends; all the time while no mutant ran
  double children = 0;      // processes
  double images = 0;        // (mutant, image) pairs that came to an end by themselves
  double steps = 0;         // of the mutants' programs over these images, weight-only ones left out
  double steps_run = 0;     // of these
  // An accelerator's process. `device_s` is time with mutants to run, `device_busy_s` the part of
  // it with launched work that was not known to be done.
  double device_s = 0, device_busy_s = 0;
  double device_mutants = 0, device_images = 0;  // came to an end; (mutant, image) pairs
  double device_launches = 0, device_waits = 0;
  double reference_bytes = 0;     // kept at a time, at most
  double worker_peak_bytes = 0;   // resident
  double mutants_peak_bytes = 0;  // resident in one child, pages shared with the worker included
};

struct WorkerFigure {
  const char* name;
  double WorkerStats::*member;
  bool peak = false;  // the larger of two, not their sum
};
inline constexpr WorkerFigure kWorkerFigures[] = {
    {"children_s", &WorkerStats::children_s},
    {"fork_s", &WorkerStats::fork_s},
    {"load_s", &WorkerStats::load_s},
    {"kernels_s", &WorkerStats::kernels_s},
    {"remake_s", &WorkerStats::remake_s},
    {"compare_s", &WorkerStats::compare_s},
    {"guard_copy_s", &WorkerStats::guard_copy_s},
    {"guard_run_s", &WorkerStats::guard_run_s},
    {"exit_s", &WorkerStats::exit_s},
    {"reference_s", &WorkerStats::reference_s},
    {"rpc_s", &WorkerStats::rpc_s},
    {"children", &WorkerStats::children},
    {"images", &WorkerStats::images},
    {"steps", &WorkerStats::steps},
    {"steps_run", &WorkerStats::steps_run},
    {"device_s", &WorkerStats::device_s},
    {"device_busy_s", &WorkerStats::device_busy_s},
    {"device_mutants", &WorkerStats::device_mutants},
    {"device_images", &WorkerStats::device_images},
    {"device_launches", &WorkerStats::device_launches},
    {"device_waits", &WorkerStats::device_waits},
    {"reference_bytes", &WorkerStats::reference_bytes, true},
    {"worker_peak_bytes", &WorkerStats::worker_peak_bytes, true},
    {"mutants_peak_bytes", &WorkerStats::mutants_peak_bytes, true},
};

void Add(const WorkerStats& more, WorkerStats* total);
// "DEVICE busy 81.0 % of 12.3 s: ..." in one line; "" where no accelerator ran mutants.
std::string AcceleratorLine(const WorkerStats& stats);
Json ToJson(const WorkerStats& stats);
Result<WorkerStats> WorkerStatsFromJson(const Json& json);

}  // namespace mutatenn
