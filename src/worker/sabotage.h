// Ways to break the fast executor on purpose, in the test program mutatenn-worker-sabotage only: a
// comparison with the slow oracle has to catch each of them.
#pragma once

#include <cstdlib>
#include <string_view>

namespace mutatenn {

enum class Sabotage { kNone, kSkipLastStep, kStaleReference, kWrongImage, kDeviceLost };

inline Sabotage ActiveSabotage() {
#ifdef MUTATENN_SABOTAGE
  const char* name = std::getenv("MUTATENN_SABOTAGE");
  std::string_view how = name == nullptr ? "" : name;
  if (how == "skip_last_step") return Sabotage::kSkipLastStep;
  if (how == "stale_reference") return Sabotage::kStaleReference;
  if (how == "device_lost") return Sabotage::kDeviceLost;
  if (how == "wrong_image") return Sabotage::kWrongImage;
#endif
  return Sabotage::kNone;
}

}  // namespace mutatenn
