// Runs single steps of the original on values that the client put here (device/probe.h). Steps run
// in this process, as the original's do: a kernel that ends it ends the session.
#pragma once

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device/probe.h"
#include "worker/original.h"

namespace mutatenn {

class Probes {
 public:
  // Runs a step on host memory in parameter order: inputs, then outputs.
  using Call = std::function<Status(int step, const std::vector<void*>& arguments)>;
  // `original` outlives it. Without `call`, steps run on the CPU.
  explicit Probes(const Original& original, Call call = {});

  // kInvalidInput: no such value or step, a value of another size, an input that no set has.
  Result<Probed> Do(const Probe& probe);

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  using Buffer = std::unique_ptr<char, Free>;

  Status Check(int value) const;
  // Filled with ones: NaN in every type that has one.
  Result<char*> Make(const std::string& set, int value);
  Result<const char*> Find(const std::string& set, int value) const;
  Status RunStep(const Probe::Run& run);

  const Original& original_;
  Call call_;
  std::map<std::string, std::map<int, Buffer>> sets_;
};

}  // namespace mutatenn
