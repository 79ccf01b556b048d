// Runs a whole program on one image and hashes every value; compares two such runs by hashes.
#include "worker/oracle.h"

#include <sys/mman.h>

#include <cstring>
#include <map>

#include "base/files.h"
#include "base/hash.h"
#include "worker/executor.h"

namespace mutatenn {
namespace {

int64_t OutputElements(const Program& program) {
  int64_t elements = 0;
  for (int value : program.outputs)
    elements += program.values[static_cast<size_t>(value)].type.Elements();
  return elements;
}

// Pages for one value, so that it can be protected once it is made.
Mapping OwnPages(int64_t bytes) {
  size_t size = static_cast<size_t>(bytes / PageSize() + 1) * static_cast<size_t>(PageSize());
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) EndOutOfMemory();
  return Mapping(address, size);
}

}  // namespace

int64_t OracleExtraBytes(const TypedProgram& typed) {
  return static_cast<int64_t>(sizeof(uint64_t) * typed.program.values.size() +
                              sizeof(float) * OutputElements(typed.program));
}

OracleResult OracleResultFrom(const std::vector<char>& extra, const TypedProgram& typed) {
  OracleResult result;
  const Program& program = typed.program;
  result.hashes.resize(program.values.size());
  const char* at = extra.data();
  std::memcpy(result.hashes.data(), at, sizeof(uint64_t) * result.hashes.size());
  at += sizeof(uint64_t) * result.hashes.size();
  for (int value : program.outputs) {
    size_t elements =
        static_cast<size_t>(program.values[static_cast<size_t>(value)].type.Elements());
    std::vector<float> output(elements);
    std::memcpy(output.data(), at, sizeof(float) * elements);
    at += sizeof(float) * elements;
    result.outputs.push_back(std::move(output));
  }
  return result;
}

void RunOracle(const Original& original, const MutantPlan& plan, const Limits& limits,
               double original_seconds, const std::string& image_file, int position,
               SharedRegion& region) {
  Progress& progress = region.progress();
  progress.image = position;
  const Program& program = plan.program();
  auto tool = [](const Error& error) { EndChild(Outcome::kToolError, error.message); };
  MutantKernels kernels;
  kernels.Load(original, plan);
  PlainMemory plain;
  if (Status status = plain.Reserve(plan.typed, plan.guarded); !status.ok()) tool(status.error());
  WeightFiles weights(original.root());
  std::vector<const void*> memory(program.values.size(), nullptr);
  for (size_t v = 0; v < program.values.size(); ++v) {
    if (program.values[v].kind != Value::Kind::kWeight) continue;
    Result<const void*> found = weights.Find(program.values[v]);
    if (!found.ok()) tool(found.error());
    memory[v] = *found;
  }
  Result<std::string> image = ReadFile(image_file);
  if (!image.ok()) tool(image.error());
  size_t input = static_cast<size_t>(program.inputs[0]);
  std::vector<Mapping> pages;
  auto store = [&](const char* bytes, int64_t size) {
    Mapping copy = OwnPages(size);
    if (size > 0) std::memcpy(copy.data(), bytes, static_cast<size_t>(size));
    ::mprotect(copy.data(), copy.size(), PROT_READ);
    pages.push_back(std::move(copy));
    return pages.back().data();
  };
  memory[input] = store(image->data(), static_cast<int64_t>(image->size()));
  LimitMemory(limits.memory_bytes);

  Record record{.image = position};
  CpuBudget budget;
  for (Phase phase : {Phase::kWeights, Phase::kImages}) {
    progress.step = -1;
    progress.started_ns = MonotonicNanoseconds();
    progress.phase = phase;
    bool weights_now = phase == Phase::kWeights;
    budget.Reset(CpuLimit(limits, weights_now ? original.weight_seconds() : original_seconds));
    record.seconds = 0;
    for (size_t s = 0; s < program.steps.size(); ++s) {
      const Step& step = program.steps[s];
      if (step.weight_only != weights_now) continue;
      progress.step = static_cast<int>(s);
      const KernelFunction& kernel = kernels.For(step.kernel);
      std::vector<Mapping> made;
      std::vector<void*> arguments = Arguments(
          step, [&](int value) { return memory[static_cast<size_t>(value)]; },
          [&](int value) {
            made.push_back(OwnPages(plan.typed.Bytes(value)));
            return static_cast<void*>(made.back().data());
          });
      if (plan.guarded[s] &&
          !plain.Fill(plan.typed, step, {arguments.begin(), arguments.begin() + step.inputs.size()})
               .ok())
        EndOutOfMemory();
      int64_t start = MonotonicNanoseconds();
      budget.Start();
      Status status = plan.guarded[s] ? plain.Call(plan.typed, step, kernel)
                                      : plan.typed.Call(kernel, step, arguments);
      budget.Stop();
      record.seconds += 1e-9 * static_cast<double>(MonotonicNanoseconds() - start);
      if (!status.ok()) EndChild(Outcome::kKernelError, status.error().message);
      for (size_t i = 0; i < step.outputs.size(); ++i) {
        size_t v = static_cast<size_t>(step.outputs[i]);
        if (plan.guarded[s])
          std::memcpy(made[i].data(), plain.Output(i),
                      static_cast<size_t>(plan.typed.Bytes(step.outputs[i])));
        ::mprotect(made[i].data(), made[i].size(), PROT_READ);
        memory[v] = made[i].data();
        pages.push_back(std::move(made[i]));
      }
    }
  }

  std::vector<uint64_t> hashes;
  for (size_t v = 0; v < program.values.size(); ++v)
    hashes.push_back(memory[v] == nullptr
                         ? 0
                         : Hash64({static_cast<const char*>(memory[v]),
                                   static_cast<size_t>(plan.typed.Bytes(static_cast<int>(v)))}));
  std::string extra(reinterpret_cast<const char*>(hashes.data()), sizeof(uint64_t) * hashes.size());
  std::vector<Ranked> top;
  for (size_t i = 0; i < program.outputs.size(); ++i) {
    size_t v = static_cast<size_t>(program.outputs[i]);
    Result<std::vector<float>> output = ToFloats(memory[v], program.values[v].type);
    if (!output.ok()) tool(output.error());
    extra.append(reinterpret_cast<const char*>(output->data()), sizeof(float) * output->size());
    if (i == 0) top = TopK(output->data(), static_cast<int64_t>(output->size()), original.top_k());
  }
  region.Append(record, top, {extra.data(), extra.size()});
  EndChild(Outcome::kFinished);
}

void CompareWithOriginal(const OracleResult& mutant, const OracleResult& original,
                         const MutantPlan& plan, Record* record) {
  const std::vector<Step>& steps = plan.program().steps;
  for (size_t s = 0; s < steps.size(); ++s) {
    bool differs = false;
    for (int value : steps[s].outputs) {
      int counterpart = plan.original_of[static_cast<size_t>(value)];
      differs |= counterpart >= 0 && mutant.hashes[static_cast<size_t>(value)] !=
                                         original.hashes[static_cast<size_t>(counterpart)];
    }
    if (!differs) continue;
    if (record->first_diverging < 0) record->first_diverging = static_cast<int>(s);
    ++record->dirty_steps;
    record->infected = 1;
  }
  OutputDifference difference;
  for (size_t i = 0; i < mutant.outputs.size(); ++i)
    CompareOutputs(mutant.outputs[i], original.outputs[i], &difference);
  record->nonfinite = difference.nonfinite;
  record->max_abs_diff = difference.max_abs;
  if (difference.any && !record->infected) {
    record->infected = 1;
    record->first_diverging = LastWriter(plan.program());
  }
}

}  // namespace mutatenn
