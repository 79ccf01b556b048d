// Runs the original over a chunk of images and keeps what later steps will be compared with.
#include "worker/references.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <string_view>

#include "base/files.h"
#include "base/hash.h"
#include "judge/judge.h"
#include "worker/progress.h"
#include "worker/scratch.h"

namespace mutatenn {
namespace {

// By value, positions among the image steps: that makes it, that reads it last; -1 where none does.
struct Lives {
  std::vector<int> made, used;
};

Lives LivesOf(const Original& original) {
  const Program& program = original.program();
  const std::vector<int>& steps = original.image_steps();
  const size_t count = program.values.size();
  Lives lives{std::vector<int>(count, -1), std::vector<int>(count, -1)};
  for (size_t at = 0; at < steps.size(); ++at) {
    const Step& step = program.steps[static_cast<size_t>(steps[at])];
    for (int value : step.inputs) lives.used[static_cast<size_t>(value)] = static_cast<int>(at);
    for (int value : step.outputs) lives.made[static_cast<size_t>(value)] = static_cast<int>(at);
  }
  return lives;
}

// Values that live across a cut, inputs and network outputs. `cuts`: ascending; a cut at n lies
// before the step at position n.
std::vector<bool> LiveAcross(const Original& original, const std::vector<int>& cuts) {
  const Lives lives = LivesOf(original);
  const size_t count = lives.made.size();
  std::vector<bool> kept(count);
  for (size_t v = 0; v < count; ++v) {
    if (original.Constant(static_cast<int>(v)) != nullptr || lives.made[v] < 0) continue;
    const auto cut = std::upper_bound(cuts.begin(), cuts.end(), lives.made[v]);
    kept[v] = cut != cuts.end() && *cut <= lives.used[v];
  }
  kept[static_cast<size_t>(original.input())] = true;
  for (int value : original.program().outputs)
    if (original.Constant(value) == nullptr) kept[static_cast<size_t>(value)] = true;
  return kept;
}

std::vector<bool> LiveAcrossEvery(const Original& original, size_t k) {
  std::vector<int> cuts;
  for (size_t at = k; at < original.image_steps().size(); at += k)
    cuts.push_back(static_cast<int>(at));
  return LiveAcross(original, cuts);
}

int64_t BytesOf(const Original& original, const std::vector<bool>& kept) {
  int64_t bytes = 0;
  for (size_t v = 0; v < kept.size(); ++v)
    if (kept[v]) bytes += Aligned(original.typed().Bytes(static_cast<int>(v)));
  return bytes;
}

// A byte of memory that the system has not given out lately: 2 ms a MiB (docs/performance.md).
constexpr double kTouchSeconds = 2e-3 / (1 << 20);

// Where a value is looked at: cache lines at equal distances.
constexpr int64_t kPiece = 64, kPieces = 16;

int64_t PiecesOf(int64_t bytes) { return std::min(kPieces, bytes / kPiece); }

int64_t PieceAt(int64_t bytes, int64_t piece) {
  return (2 * piece + 1) * (bytes / kPiece) / (2 * PiecesOf(bytes)) * kPiece;
}

Status RunImage(const Original& original, const std::vector<void*>& memory, double* seconds,
                const std::function<void(int step, double seconds)>& made) {
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
    const double took = 1e-9 * static_cast<double>(MonotonicNanoseconds() - start);
    *seconds += took;
    if (!status.ok()) return status.error().With("step '" + step.name + "' of the original");
    made(s, took);
  }
  return Ok();
}

// Seconds of each image step, on zeros.
Result<std::vector<double>> StepSeconds(const Original& original) {
  const TypedProgram& typed = original.typed();
  const Scratch scratch = PlanScratch(typed, std::vector<bool>(typed.program.values.size()));
  const int64_t input_bytes = Aligned(typed.Bytes(original.input()));
  Arena memory = TRY(Arena::Make(scratch.bytes + input_bytes));
  char* base = static_cast<char*>(memory.Allocate(scratch.bytes));
  std::vector<void*> values(typed.program.values.size(), nullptr);
  for (size_t v = 0; v < values.size(); ++v)
    if (scratch.offsets[v] >= 0) values[v] = base + scratch.offsets[v];
  values[static_cast<size_t>(original.input())] = memory.Allocate(input_bytes);
  std::vector<double> seconds;
  double all = 0;
  TRY(RunImage(original, values, &all, [&](int, double took) { seconds.push_back(took); }));
  return seconds;
}

// The cuts between steps that cost the least: `byte_s` for each byte kept, and for each run the
// steps between the last cut and its mutated step, which may be any. Dynamic programming over the
// last cut.
std::vector<int> CheapestCuts(const Original& original, const std::vector<double>& step_s,
                              double byte_s, double runs) {
  constexpr int kLongest = 48;  // steps between two cuts
  const int steps = static_cast<int>(step_s.size());
  const Lives lives = LivesOf(original);
  std::vector<std::vector<int>> made_at(step_s.size());
  for (size_t v = 0; v < lives.made.size(); ++v)
    if (lives.made[v] >= 0)
      made_at[static_cast<size_t>(lives.made[v])].push_back(static_cast<int>(v));
  std::vector<double> best(step_s.size() + 1, std::numeric_limits<double>::infinity());
  std::vector<int> before(step_s.size() + 1, 0);
  best[0] = 0;
  for (int from = 0; from < steps; ++from) {
    double again_s = 0, segment_s = 0;
    for (int to = from + 1; to <= std::min(steps, from + kLongest); ++to) {
      again_s += segment_s;
      segment_s += step_s[static_cast<size_t>(to - 1)];
      double bytes = 0;
      for (int at = from; at < to; ++at)
        for (int v : made_at[static_cast<size_t>(at)])
          if (lives.used[static_cast<size_t>(v)] >= to)
            bytes += static_cast<double>(Aligned(original.typed().Bytes(v)));
      const double cost = best[static_cast<size_t>(from)] + byte_s * bytes + runs * again_s / steps;
      if (cost >= best[static_cast<size_t>(to)]) continue;
      best[static_cast<size_t>(to)] = cost;
      before[static_cast<size_t>(to)] = from;
    }
  }
  std::vector<int> cuts;
  for (int at = before.back(); at > 0; at = before[static_cast<size_t>(at)]) cuts.push_back(at);
  std::reverse(cuts.begin(), cuts.end());
  return cuts;
}

// What a run makes again on average.
double AgainSeconds(const std::vector<double>& step_s, const std::vector<int>& cuts) {
  double again_s = 0, segment_s = 0;
  for (size_t at = 0; at < step_s.size(); ++at) {
    if (std::binary_search(cuts.begin(), cuts.end(), static_cast<int>(at))) segment_s = 0;
    again_s += segment_s;
    segment_s += step_s[at];
  }
  return again_s / static_cast<double>(step_s.size());
}

}  // namespace

Result<Keeping> ChooseKeeping(const Original& original, const LoadRequest& request) {
  Keeping all{LiveAcrossEvery(original, 1), original.reference_bytes()};
  if (request.images == 0 || request.runs_per_image <= 0) return all;
  const std::vector<double> step_s = TRY(StepSeconds(original));
  const double run_s = std::accumulate(step_s.begin(), step_s.end(), 0.0);
  std::optional<Keeping> cheapest;
  double cheapest_again_s = 0;
  for (double price = kTouchSeconds; price < 1; price *= 2) {
    const auto cuts = CheapestCuts(original, step_s, price, request.runs_per_image);
    Keeping keeping{LiveAcross(original, cuts)};
    keeping.bytes_per_image = BytesOf(original, keeping.kept);
    const double again_s = request.runs_per_image * AgainSeconds(step_s, cuts);
    if (!cheapest) cheapest = keeping, cheapest_again_s = again_s;
    // Chunk by chunk the original runs once more.
    if (again_s - cheapest_again_s > run_s) break;
    if (request.images * keeping.bytes_per_image <= request.memory_budget_bytes) return keeping;
  }
  return *cheapest;
}

std::vector<bool> ChooseKept(const Original& original, int64_t images, int64_t budget_bytes,
                             const std::vector<bool>& wanted) {
  std::vector<bool> kept = wanted;
  if (!kept.empty() && BytesOf(original, kept) * images <= budget_bytes) return kept;
  for (size_t k = 1; k <= original.image_steps().size(); ++k) {
    kept = LiveAcrossEvery(original, k);
    if (BytesOf(original, kept) * images <= budget_bytes) return kept;
  }
  return LiveAcross(original, {});
}

int References::Find(const std::string& image) const {
  for (size_t i = 0; i < runs_.size(); ++i)
    if (runs_[i].image == image) return static_cast<int>(i);
  return -1;
}

bool References::SurelyDiffers(int image, int value, const void* data) const {
  const int64_t at = pieces_at_[static_cast<size_t>(value)];
  if (at < 0) return false;
  const int64_t bytes = typed_->Bytes(value);
  const char* pieces = pieces_[static_cast<size_t>(image)].data() + at;
  for (int64_t i = 0; i < PiecesOf(bytes); ++i)
    if (std::memcmp(pieces + i * kPiece, static_cast<const char*>(data) + PieceAt(bytes, i),
                    kPiece) != 0)
      return true;
  return false;
}

Result<References> References::Run(const Original& original, const std::vector<ImageInput>& images,
                                   int64_t budget_bytes, const std::function<bool()>& keep_going,
                                   Arena memory, const std::vector<bool>& wanted) {
  const Program& program = original.program();
  const TypedProgram& typed = original.typed();
  std::vector<bool> kept =
      ChooseKept(original, static_cast<int64_t>(images.size()), budget_bytes, wanted);
  References references;
  references.offsets_.assign(program.values.size(), -1);
  for (size_t v = 0; v < kept.size(); ++v) {
    if (!kept[v]) continue;
    references.offsets_[v] = references.bytes_per_image_;
    references.bytes_per_image_ += Aligned(typed.Bytes(static_cast<int>(v)));
  }
  references.typed_ = &typed;
  references.pieces_at_.assign(program.values.size(), -1);
  for (size_t v = 0; v < kept.size(); ++v) {
    if (kept[v] || original.Constant(static_cast<int>(v)) != nullptr) continue;
    references.pieces_at_[v] = references.pieces_bytes_;
    references.pieces_bytes_ += PiecesOf(typed.Bytes(static_cast<int>(v))) * kPiece;
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
    std::string& pieces = references.pieces_.emplace_back();
    pieces.resize(static_cast<size_t>(references.pieces_bytes_));
    auto note = [&](int step, double) {
      for (int value : program.steps[static_cast<size_t>(step)].outputs) {
        const int64_t at = references.pieces_at_[static_cast<size_t>(value)];
        const int64_t bytes = typed.Bytes(value);
        const char* data = static_cast<const char*>(values[static_cast<size_t>(value)]);
        for (int64_t i = 0; at >= 0 && i < PiecesOf(bytes); ++i)
          std::memcpy(pieces.data() + at + i * kPiece, data + PieceAt(bytes, i), kPiece);
      }
    };
    uint64_t first_result = 0;
    const bool twice = references.runs_.empty() || references.runs_.back().noisy;
    if (twice) {
      // The first time also loads code and touches memory; limits should not rest on that.
      TRY(RunImage(original, values, &run.seconds, note));
      first_result = Hash64(result);
    }
    TRY(RunImage(original, values, &run.seconds, note));
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
