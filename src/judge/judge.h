// From outputs to fates to verdicts, by rules that need neither TVM nor the store: the order of
// classes, what ends a mutant, what its fates mean. Kill rules other than `top1`: kill_rule.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mutatenn {

// Counts up when a rule of this room, or the formula of the score, gives another verdict or number
// for the same fates.
inline constexpr const char* kRulesVersion = "3";

// One class of an output: larger scores first, NaN last, ties by lower index.
struct Ranked {
  int64_t label = 0;
  double score = 0;  // the network's raw output
  bool operator==(const Ranked&) const = default;
};

// The k best of `count` scores in the order above (k >= 1; fewer when count < k).
std::vector<Ranked> TopK(const float* scores, int64_t count, int k);

// The original's margin between first and second; +infinity with fewer than two, NaN never.
double Margin(const std::vector<Ranked>& top);

// How a run of a mutant on an image ended.
enum class Ending { kOk, kCrashed, kTimeout };

// How the detail of a fate begins whose kernel the device's own compiler refused. Such a mutant is
// stillborn: nothing of it ran.
inline constexpr const char* kDoesNotCompile = "does not compile on the device";

// (mutant, device, image).
struct Fate {
  std::string image;
  Ending ending = Ending::kOk;
  std::vector<Ranked> top;            // empty unless kOk
  bool infected = false;              // some value differed from the original's
  int dirty_steps = 0;                // steps whose output differed
  std::string first_diverging_step;   // its name, "" when not infected
  std::string first_diverging_layer;  // last layer of that step
  bool nonfinite = false;   // the network's output holds NaN or Inf where the original's is finite
  double max_abs_diff = 0;  // of the network's outputs, against the original's
  double seconds = 0;       // of the steps that ran
  std::string detail;       // "SIGSEGV in step conv3", "" when kOk
};

// An access outside a mutated step's buffers, seen by the guards.
struct OutOfBounds {
  std::string step;
  std::string buffer;  // "input 0", "output 0", "workspace"
  int64_t offset = 0;  // bytes from the buffer's start; negative = before it
  bool operator==(const OutOfBounds&) const = default;
};

enum class Verdict {
  kKilled,
  kSurvived,
  kEquivalent,
  kStillborn,
  kCrashed,
  kTimeout,
  kUnstable,
  kIgnored,
  kPending,
};
const char* VerdictName(Verdict verdict);
std::optional<Verdict> VerdictFromName(const std::string& name);
const char* EndingName(Ending ending);
std::optional<Ending> EndingFromName(const std::string& name);

// The paper's rule: the first label differs from the original's.
bool KilledByTop1(const std::vector<Ranked>& original, const std::vector<Ranked>& mutant);

// When a mutant counts as killed; kill_rule.h reads and applies it.
struct KillRule {
  enum class Kind {
    kTop1,        // the paper's: the first label differs
    kTopK,        // the original's first label is not among the mutant's k best
    kOutput,      // some output differs by more than `tolerance`, or is not finite where it was
    kNoise,       // the same, `tolerance` being the device's own noise (noise_rule.h)
    kFisher,      // more runs have another label than the original's repeated runs explain
    kAcceptance,  // a limit over all images is passed
  };
  Kind kind = Kind::kTop1;
  int k = 1;
  double tolerance = 0;                     // absolute, in raw outputs
  double significance = 0.05;               // kFisher: of a smaller p-value
  std::optional<double> max_accuracy_drop;  // fraction of the images with truth
  std::optional<int> max_label_changes;
  std::optional<double> max_recall_drop;  // of some class, a fraction
  std::string command;                    // that decides by its exit status; "" = none
  bool operator==(const KillRule&) const = default;
};

// Runs on one image after the first one: of the original, or of a mutant. Labels are compared with
// that of the original's first run.
struct Repeats {
  int runs = 0;          // 0 = not recorded
  int other_labels = 0;  // of them, with another first label or none
  bool Stable() const { return other_labels == 0; }
};

// What a limit over all images says. `passed` has no value when that is not known.
struct LimitCheck {
  std::optional<bool> passed;
  std::string reason;  // why it was passed, or is not known
};

// What is known of a mutant on a device before judging.
struct Evidence {
  std::string build = "ok";  // "ok", "stillborn", "equivalent", "ignored", "pending"
  std::string build_reason;
  std::vector<Fate> fates;                     // in the fixed order of images
  std::vector<std::vector<Ranked>> originals;  // the original's top list for each fate, same order
  std::vector<int64_t> truths;                 // of each fate, -1 = not known; for acceptance
  std::vector<Repeats> repeats;                // of each fate's image; missing ones are stable
  std::vector<Repeats> again;                  // further runs of each fate; missing: none
  // Asks KillRule::command, once all images gave an output.
  std::function<LimitCheck(const Evidence&)> ask = {};
  int images_planned = 0;
  bool full_matrix = false;
  std::optional<OutOfBounds> out_of_bounds;
  KillRule rule = {};
};

struct Judgement {
  Verdict verdict = Verdict::kPending;
  std::string reason;       // one line, for people
  bool degenerate = false;  // >= 10 images compared, the original has >= 5 labels on them, the
                            // mutant at most max(1, images / 20): the paper's implicit crash
  bool nonfinite = false;
  int images_compared = 0;
  int images_differing = 0;
  std::string killing_image;  // the first, "" when none
};

// A fate detects when the run crashed, timed out, or the rule kills it on an image that is stable
// on the device: the original's own runs give it one first label. The first detecting fate in image
// order decides between killed, crashed and timeout, also under a full matrix; acceptance limits
// are looked at when no run crashed or timed out. Survived, or unstable where only images that are
// not stable kill, only when every planned image was compared; pending otherwise. images_compared
// counts runs that gave an output (a crash has none to compare), images_differing those with
// another first label, whatever the rule. Under `early` no fate after the first that crashed, timed
// out or has another first label on a stable image counts, so that chunks, jobs and resuming do not
// show.
Judgement Judge(const Evidence& evidence);
// How many of the fates, from the first, that are.
size_t JudgedFates(const Evidence& evidence);
// Whether fate `i` detects by the rule of its image (`top1` under a rule over all images).
bool Detects(const Evidence& evidence, size_t i);

bool Detected(Verdict verdict);  // killed, crashed, timeout
bool Valid(Verdict verdict);     // all but equivalent, stillborn, ignored, unstable, pending

}  // namespace mutatenn
