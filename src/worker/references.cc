// Runs the original over a chunk of images and keeps what later steps will be compared with.
#include "worker/references.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <string_view>

#include "base/files.h"
#include "base/hash.h"
#include "judge/judge.h"
#include "worker/progress.h"
#include "worker/scratch.h"

namespace mutatenn {
namespace {

// Values that live across a cut behind every k-th image step, inputs and network outputs.
std::vector<bool> LiveAcrossCuts(const Original& original, size_t k) {
  const Program& program = original.program();
  const std::vector<int>& steps = original.image_steps();
  size_t count = program.values.size();
  std::vector<int> made(count, -1), used(count, -1);
  for (size_t at = 0; at < steps.size(); ++at) {
    const Step& step = program.steps[static_cast<size_t>(steps[at])];
    for (int value : step.inputs) used[static_cast<size_t>(value)] = static_cast<int>(at);
    for (int value : step.outputs) made[static_cast<size_t>(value)] = static_cast<int>(at);
  }
  std::vector<bool> kept(count);
  for (size_t v = 0; v < count; ++v) {
    if (original.Constant(static_cast<int>(v)) != nullptr || made[v] < 0) continue;
    // The first cut at or behind the step that makes the value; does something later read it?
    int cut = static_cast<int>((static_cast<size_t>(made[v]) / k + 1) * k - 1);
    kept[v] = cut < used[v];
  }
  kept[static_cast<size_t>(original.input())] = true;
  for (int value : program.outputs)
    if (original.Constant(value) == nullptr) kept[static_cast<size_t>(value)] = true;
  return kept;
}

int64_t BytesOf(const Original& original, const std::vector<bool>& kept) {
  int64_t bytes = 0;
  for (size_t v = 0; v < kept.size(); ++v)
    if (kept[v]) bytes += Aligned(original.typed().Bytes(static_cast<int>(v)));
  return bytes;
}

Status RunImage(const Original& original, const std::vector<void*>& memory, double* seconds) {
  const TypedProgram& typed = original.typed();
  *seconds = 0;
  for (int s : original.image_steps()) {
    const Step& step = typed.program.steps[static_cast<size_t>(s)];
    std::vector<void*> arguments = Arguments(
        step,
        [&](int value) -> const void* {
          const void* constant = original.Constant(value);
          return constant != nullptr ? constant : memory[static_cast<size_t>(value)];
        },
        [&](int value) { return memory[static_cast<size_t>(value)]; });
    int64_t start = MonotonicNanoseconds();
    Status status = typed.Call(original.StepKernel(s), step, arguments);
    *seconds += 1e-9 * static_cast<double>(MonotonicNanoseconds() - start);
    if (!status.ok()) return status.error().With("step '" + step.name + "' of the original");
  }
  return Ok();
}

}  // namespace

std::vector<bool> ChooseKept(const Original& original, int64_t images, int64_t budget_bytes) {
  std::vector<bool> kept;
  for (size_t k = 1; k <= original.image_steps().size(); ++k) {
    kept = LiveAcrossCuts(original, k);
    if (BytesOf(original, kept) * images <= budget_bytes) return kept;
  }
  return LiveAcrossCuts(original, original.image_steps().size() + 1);  // no cut at all
}

int References::Find(const std::string& image) const {
  for (size_t i = 0; i < runs_.size(); ++i)
    if (runs_[i].image == image) return static_cast<int>(i);
  return -1;
}

Result<References> References::Run(const Original& original, const std::vector<ImageInput>& images,
                                   int64_t budget_bytes, const std::function<bool()>& keep_going,
                                   Arena memory) {
  const Program& program = original.program();
  const TypedProgram& typed = original.typed();
  std::vector<bool> kept = ChooseKept(original, static_cast<int64_t>(images.size()), budget_bytes);
  References references;
  references.offsets_.assign(program.values.size(), -1);
  for (size_t v = 0; v < kept.size(); ++v) {
    if (!kept[v]) continue;
    references.offsets_[v] = references.bytes_per_image_;
    references.bytes_per_image_ += Aligned(typed.Bytes(static_cast<int>(v)));
  }
  references.arena_ = TRY(Arena::Make(
      references.bytes_per_image_ * static_cast<int64_t>(images.size()), std::move(memory)));
  const Scratch scratch = PlanScratch(typed, kept);
  Arena scratch_memory = TRY(Arena::Make(scratch.bytes));
  char* scratch_base = static_cast<char*>(scratch_memory.Allocate(scratch.bytes));
  std::vector<void*> rest(program.values.size(), nullptr);  // values that are not kept
  for (size_t v = 0; v < rest.size(); ++v)
    if (scratch.offsets[v] >= 0) rest[v] = scratch_base + scratch.offsets[v];

  size_t input = static_cast<size_t>(original.input());
  int first_output = program.outputs[0];
  for (const ImageInput& image : images) {
    if (!keep_going()) return Fail(Code::kUnavailable, "the client is gone");
    if (references.Find(image.id) >= 0)
      return Fail(Code::kInvalidInput, "two images are named '", image.id, "'");
    std::string bytes = TRY(ReadFile(image.file));
    if (static_cast<int64_t>(bytes.size()) != typed.Bytes(original.input()))
      return Fail(Code::kInvalidInput, image.file, ": has ", std::to_string(bytes.size()),
                  " bytes, the program's input needs ",
                  std::to_string(typed.Bytes(original.input())));
    char* base = static_cast<char*>(references.arena_.Allocate(references.bytes_per_image_));
    std::vector<void*> values = rest;
    for (size_t v = 0; v < kept.size(); ++v)
      if (kept[v]) values[v] = base + references.offsets_[v];
    std::memcpy(values[input], bytes.data(), bytes.size());
    OriginalRun run{.image = image.id};
    const void* output = original.Constant(first_output) != nullptr
                             ? original.Constant(first_output)
                             : values[static_cast<size_t>(first_output)];
    std::string_view result(static_cast<const char*>(output),
                            static_cast<size_t>(typed.Bytes(first_output)));
    uint64_t first_result = 0;
    const bool twice = references.runs_.empty() || references.runs_.back().noisy;
    if (twice) {
      // The first time also loads code and touches memory; limits should not rest on that.
      TRY(RunImage(original, values, &run.seconds));
      first_result = Hash64(result);
    }
    TRY(RunImage(original, values, &run.seconds));
    // Every fate is judged against this run: is it what another run would give?
    run.noisy = twice && Hash64(result) != first_result;
    std::vector<float> scores =
        TRY(ToFloats(output, program.values[static_cast<size_t>(first_output)].type));
    run.top = TopK(scores.data(), static_cast<int64_t>(scores.size()), original.top_k());
    references.bases_.push_back(base);
    references.runs_.push_back(std::move(run));
  }
  TRY(references.arena_.Seal());
  return references;
}

}  // namespace mutatenn
