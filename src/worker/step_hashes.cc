// All values of one image in memory of their own, hashed as they are made.
#include "worker/step_hashes.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace mutatenn {

Result<std::vector<ImageHashes>> HashSteps(const Original& original, const Place& place,
                                           const std::vector<std::string>& images,
                                           const std::function<bool()>& keep_going) {
  const Program& program = original.program();
  const TypedProgram& typed = original.typed();
  Arena memory = TRY(Arena::Make(original.reference_bytes()));
  std::vector<void*> values(program.values.size(), nullptr);
  for (int s : original.image_steps())
    for (int value : program.steps[static_cast<size_t>(s)].outputs)
      values[static_cast<size_t>(value)] = memory.Allocate(typed.Bytes(value));
  std::vector<ImageHashes> all;
  for (const std::string& name : images) {
    if (!keep_going()) return Fail(Code::kUnavailable, "the client is gone");
    const void* input = TRY(place.input(name));
    ImageHashes& hashes = all.emplace_back();
    hashes.image = name;
    for (int s : original.image_steps()) {
      const Step& step = program.steps[static_cast<size_t>(s)];
      std::vector<void*> arguments = Arguments(
          step,
          [&](int value) -> const void* {
            if (value == original.input()) return input;
            const void* constant = original.Constant(value);
            return constant != nullptr ? constant : values[static_cast<size_t>(value)];
          },
          [&](int value) { return values[static_cast<size_t>(value)]; });
      TRY(place.call(typed, original.StepKernel(s), step, arguments));
      std::string text;
      for (int value : step.outputs)
        text += fmt::format("{:016x}",
                            Hash64({static_cast<const char*>(values[static_cast<size_t>(value)]),
                                    static_cast<size_t>(typed.Bytes(value))}));
      hashes.steps.emplace_back(step.name, text);
    }
  }
  return all;
}

}  // namespace mutatenn
