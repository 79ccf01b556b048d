// What is said, where, and how often; the clock is the test's.
#include "campaign/progress.h"

#include <gtest/gtest.h>

namespace mutatenn {
namespace {

struct Screen {
  std::string text;
  double now = 100;
  ProgressOptions Options(Verbosity verbosity, bool terminal) {
    return {verbosity, terminal, [this](const std::string& more) { text += more; },
            [this] { return now; }};
  }
};

TEST(Progress, PlainLinesComeAFewSecondsApart) {
  Screen screen;
  Progress progress(screen.Options(Verbosity::kNormal, false));
  progress.Begin("running", 20);
  for (int i = 0; i < 10; ++i) {
    screen.now += 1;
    progress.Count();
  }
  EXPECT_EQ(screen.text,
            "running 5/20 (25 %), 1.0/s, 15 s left\nrunning 10/20 (50 %), 1.0/s, 10 s left\n");
  progress.End();
  progress.End();
  EXPECT_EQ(screen.text.find('\r'), std::string::npos);
}

TEST(Progress, ResumedThingsDoNotCountForTheRate) {
  Screen screen;
  Progress progress(screen.Options(Verbosity::kNormal, false));
  progress.Begin("running", 100, 80);
  screen.now += 10;
  progress.Count(10);
  EXPECT_EQ(screen.text, "running 90/100 (90 %), 1.0/s, 10 s left\n");
}

TEST(Progress, ATerminalsLineIsRewritten) {
  Screen screen;
  Progress progress(screen.Options(Verbosity::kNormal, true));
  progress.Begin("running", 2);
  progress.Warn("odd");
  progress.Count(2);
  progress.End();
  EXPECT_EQ(screen.text,
            "\r\x1b[Krunning 0/2 (0 %)\r\x1b[Kmutatenn: warning: odd\n\r\x1b[Krunning 0/2 (0 %)"
            "\r\x1b[Krunning 2/2 (100 %)\n");
}

TEST(Progress, QuietLeavesWarnings) {
  Screen screen;
  Progress progress(screen.Options(Verbosity::kQuiet, true));
  progress.Begin("running", 2);
  progress.Info("info");
  progress.Detail("detail");
  progress.Count(2);
  progress.End();
  EXPECT_EQ(screen.text, "");
  progress.Warn("odd");
  EXPECT_EQ(screen.text, "mutatenn: warning: odd\n");
}

}  // namespace
}  // namespace mutatenn
