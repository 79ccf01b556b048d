// `mutatenn replay`: one mutant's fates once more, beside what its campaign found.
#include <fmt/format.h>

#include "base/files.h"
#include "campaign/replay.h"
#include "cli/subcommand.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace {

std::string TopText(const std::vector<Ranked>& top) {
  return top.empty() ? "-" : fmt::format("{} ({:.9g})", top.front().label, top.front().score);
}

class ReplayCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("FILE", file_, "The file that `mutatenn export --as replay` wrote")->required();
    app.add_option("--as-script", script_,
                   "Run nothing: write this Python file, which needs TVM and numpy only and runs "
                   "original and mutant, for a bug report");
  }
  Result<int> Run(const GlobalOptions&) override {
    if (!script_.empty()) {
      TRY(WriteFile(script_, TRY(ScriptOf(file_))));
      return 0;
    }
    const Replayed replayed = TRY(Replay(file_));
    const Json& story = replayed.story;
    fmt::print("mutant {} of {}: {}\nplace {}\n", story.value("mutant", ""),
               story.value("model", ""), story.value("operator", ""), story.value("place", ""));
    fmt::print("found on device {} ({}), TVM {}, mutatenn {}\n", story["device"].value("name", ""),
               story["device"].value("cpu", ""), story["versions"].value("tvm", ""),
               story["versions"].value("tool", ""));
    int differ = 0;
    for (const ReplayedRun& run : replayed.runs) {
      differ += !run.agrees;
      fmt::print("  {}: {}, label {} for {}", run.image, run.ending, TopText(run.top),
                 TopText(run.original));
      if (run.stored_ending.empty()) {
        fmt::print("; the campaign did not run it\n");
      } else if (!run.agrees) {
        fmt::print("; DIFFERENT, the campaign found {}, label {}\n", run.stored_ending,
                   TopText(run.stored_top));
      } else if (run.score_diff == 0) {
        fmt::print("; the same\n");
      } else {
        fmt::print("; the same, scores differ by up to {:.3g}\n", run.score_diff);
      }
    }
    if (replayed.runs.empty())
      return Fail(Code::kUnsupported, file_, ": the mutant has no code to run on this device");
    return differ == 0 ? 0 : kExitGateFailed;
  }

 private:
  std::string file_, script_;
};

SUBCOMMAND(ReplayCommand, .name = "replay", .order = 8,
           .summary = "Repeat one mutant's fates from a replay file, beside what was found");

}  // namespace
}  // namespace mutatenn
