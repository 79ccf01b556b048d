// mutatenn-worker-sabotage: what MUTATENN_SABOTAGE asks for.
#include "worker/sabotage.h"

#include <cstdlib>
#include <string_view>

namespace mutatenn {

Sabotage ActiveSabotage() {
  const char* name = std::getenv("MUTATENN_SABOTAGE");
  std::string_view how = name == nullptr ? "" : name;
  if (how == "skip_last_step") return Sabotage::kSkipLastStep;
  if (how == "stale_reference") return Sabotage::kStaleReference;
  if (how == "device_lost") return Sabotage::kDeviceLost;
  if (how == "wrong_image") return Sabotage::kWrongImage;
  return Sabotage::kNone;
}

}  // namespace mutatenn
