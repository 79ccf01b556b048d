// Settings as text: what people read in a diff and what cache keys hold.
#include "mutation/build_settings.h"

namespace mutatenn {

std::string TextOf(const BuildSettings& settings) {
  std::string text;
  for (const auto& [key, value] : settings.target.items())
    text += "target " + key + " " + DumpJson(value) + "\n";
  text += "lanes " + std::to_string(settings.lanes) + "\n";
  size_t call = 0;
  for (const size_t count : settings.steps) {
    text += "step";
    for (const size_t end = call + count; call < end; ++call) text += " " + settings.calls.at(call);
    text += "\n";
  }
  for (const LoweringPass& pass : settings.passes) text += std::string("pass ") + pass.name + "\n";
  return text;
}

}  // namespace mutatenn
