// The worker is not to be broken.
#include "worker/sabotage.h"

namespace mutatenn {

__attribute__((weak)) Sabotage ActiveSabotage() { return Sabotage::kNone; }

}  // namespace mutatenn
