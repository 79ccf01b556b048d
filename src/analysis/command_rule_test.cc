// Commands that look at a mutant's outputs, run for real.
#include "analysis/command_rule.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/scratch_folder.h"

namespace mutatenn {
namespace {

Evidence TwoImages(const std::string& command) {
  Evidence evidence;
  for (const char* image : {"a.jpg", "long name.jpg"}) {
    Fate fate;
    fate.image = image;
    fate.top = {{2, 3.5}, {0, 1.25}, {1, -4}};
    evidence.fates.push_back(fate);
    evidence.originals.push_back({{1, 9}, {2, 8}, {0, 7}});
  }
  evidence.truths = {1, -1};
  evidence.rule.kind = KillRule::Kind::kAcceptance;
  evidence.rule.command = command;
  return evidence;
}

TEST(CommandRule, GetsOutputsAndLabels) {
  ScratchFolder folder = ScratchFolder::Make("command").value();
  const std::string script = folder.path() + "/check.py";
  ASSERT_TRUE(WriteFile(script,
                        "import os, sys, numpy as np\n"
                        "a = np.load(sys.argv[1])\n"
                        "assert a['outputs'].tolist() == [[1.25, -4, 3.5]] * 2\n"
                        "assert a['original'].tolist() == [[7, 9, 8]] * 2\n"
                        "assert a['labels'].tolist() == [1, -1]\n"
                        "assert a['images'].tolist() == [b'a.jpg', b'long name.jpg']\n"
                        "assert os.environ['MUTATENN_MUTANT'] == 'm1'\n"
                        "assert os.environ['MUTATENN_DEVICE'] == 'board'\n")
                  .ok());
  LimitCheck check = AskCommand(TwoImages("\"$MUTATENN_PYTHON\" '" + script + "'"), "m1", "board");
  EXPECT_EQ(check.passed, false) << check.reason;
}

TEST(CommandRule, ExitStatusDecides) {
  auto ask = [](const std::string& command) { return AskCommand(TwoImages(command), "m", "d"); };
  EXPECT_EQ(ask("test -s").passed, false);
  EXPECT_EQ(ask("test -d").passed, true);
  EXPECT_EQ(ask("echo 3 pedestrians lost; false").reason.find("not accepted: 3 pedestrians lost"),
            0u);
  LimitCheck broken = ask("/no/such/program");
  EXPECT_EQ(broken.passed, std::nullopt);
  EXPECT_NE(broken.reason.find("exited with status 127"), std::string::npos) << broken.reason;
  EXPECT_EQ(ask("kill -9 $$;").passed, std::nullopt);
  Evidence cut = TwoImages("true");
  cut.fates[1].top.pop_back();
  EXPECT_EQ(AskCommand(cut, "m", "d").passed, std::nullopt);
}

}  // namespace
}  // namespace mutatenn
