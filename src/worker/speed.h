// A rough measure of a machine for `mutatenn devices`: what the worker's own code, compiled for the
// least CPU of its kind, does on one core. Kernels are compiled for the target and do better.
#pragma once

#include "device/session.h"

namespace mutatenn {

// Takes about a tenth of a second.
WorkerSpeed MeasureSpeed();

}  // namespace mutatenn
