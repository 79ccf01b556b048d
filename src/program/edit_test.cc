// A mutant's program as its difference to the original: Apply gives back what Difference took, byte
// by byte as JSON, for random programs and changes; what does not fit is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "program/program.h"

namespace mutatenn {
namespace {

// A chain with extra readers: step i reads v(i-1), some earlier value and a weight.
Program RandomProgram(std::mt19937& random, int steps) {
  Program p{.model = "net", .target = "{}"};
  p.values.push_back({"x", Value::Kind::kInput, {{1, 4}}});
  for (int i = 0; i < steps; ++i) {
    const std::string n = std::to_string(i);
    p.values.push_back({"w" + n, Value::Kind::kWeight, {{4}}, "w.bin", 64 * i});
  }
  std::vector<int> made = {0};
  for (int i = 0; i < steps; ++i) {
    const std::string n = std::to_string(i), kernel = "k" + std::to_string(random() % 5);
    p.kernels[kernel] = {kernel, "role", kernel + ".so", "code " + kernel};
    p.values.push_back({"v" + n, Value::Kind::kStep, {{1, 4}}});
    const int output = static_cast<int>(p.values.size()) - 1;
    p.steps.push_back({"v" + n,
                       kernel,
                       {made.back(), made[random() % made.size()], 1 + i},
                       {output},
                       {"layer" + n}});
    made.push_back(output);
  }
  p.inputs = {0};
  p.outputs = {made.back()};
  return p;
}

// Puts a new value and step in front of step `at`, which then reads it: every later index moves.
void Insert(Program& p, int at) {
  Step& reader = p.steps[static_cast<size_t>(at)];
  const int place = reader.outputs[0], read = reader.inputs[0];
  auto move = [&](std::vector<int>& values) {
    for (int& value : values) value += value >= place;
  };
  for (Step& step : p.steps) {
    move(step.inputs);
    move(step.outputs);
  }
  move(p.outputs);
  const std::string name = "new" + std::to_string(at);
  p.values.insert(p.values.begin() + place, {name, Value::Kind::kStep, {{1, 4}}});
  p.kernels["fresh"] = {"fresh", "exp", "fresh.so", "code fresh"};
  reader.inputs[0] = place;
  p.steps.insert(p.steps.begin() + at, {name, "fresh", {read}, {place}, {"layer"}});
}

std::string Text(const Program& program) { return DumpJson(ToJson(program)); }

Result<MutantProgram> ThroughJson(const ProgramEdit& edit) {
  MutantProgram mutant{.mutant = "m", .graph_changed = true, .edit = edit};
  return MutantProgramFromJson(ToJson(mutant));
}

TEST(ProgramEdit, GivesTheMutantBack) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    const int steps = 1 + static_cast<int>(random() % 12);
    const Program original = RandomProgram(random, steps);
    Program mutant = original;
    for (int change = static_cast<int>(random() % 3); change > 0; --change) {
      Step& step = mutant.steps[random() % mutant.steps.size()];
      switch (random() % 6) {
        case 0:
          Insert(mutant, static_cast<int>(random() % mutant.steps.size()));
          break;
        case 1:
          mutant.kernels["other"] = {"other", "role", "other.so", "code other"};
          step.kernel = "other";
          break;
        case 2:
          std::swap(step.inputs[0], step.inputs.back());
          break;
        case 3:
          mutant.kernels[step.kernel].code += " changed";
          break;
        case 4:
          step.views[0] = {4, 1};
          break;
        default:
          mutant.values[0].type.dtype = "int32";
      }
    }
    for (auto at = mutant.kernels.begin(); at != mutant.kernels.end();) {
      const bool used = std::any_of(mutant.steps.begin(), mutant.steps.end(),
                                    [&](const Step& s) { return s.kernel == at->first; });
      at = used ? std::next(at) : mutant.kernels.erase(at);
    }
    Result<MutantProgram> read = ThroughJson(Difference(original, mutant));
    ASSERT_TRUE(read.ok()) << read.error().message;
    Result<Program> again = read->Apply(original);
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(Text(*again), Text(mutant));
  }
}

TEST(ProgramEdit, HoldsOnlyWhatIsNew) {
  std::mt19937 random(1);
  const Program original = RandomProgram(random, 100);
  Program mutant = original;
  Insert(mutant, 50);
  const ProgramEdit edit = Difference(original, mutant);
  EXPECT_EQ(edit.values.size(), 1u);
  EXPECT_EQ(edit.steps.size(), 2u);  // the new one and its reader
  EXPECT_EQ(edit.kernels.size(), 1u);
  EXPECT_EQ(edit.value_runs, (std::vector<ProgramEdit::Run>{{0, 151, 1}, {151, 50, 0}}));
  EXPECT_EQ(edit.step_runs, (std::vector<ProgramEdit::Run>{{0, 50, 2}, {51, 49, 0}}));
}

TEST(ProgramEdit, RefusesWhatDoesNotFit) {
  std::mt19937 random(2);
  const Program original = RandomProgram(random, 6);
  Program mutant = original;
  Insert(mutant, 3);
  const ProgramEdit edit = Difference(original, mutant);
  ASSERT_TRUE(Apply(edit, original).ok());
  auto refused = [&](auto&& damage) {
    ProgramEdit damaged = edit;
    damage(damaged);
    Result<Program> result = Apply(damaged, original);
    return !result.ok() && result.error().code == Code::kInvalidInput;
  };
  EXPECT_TRUE(refused([](ProgramEdit& e) { e.value_runs[0].from = -1; }));
  EXPECT_TRUE(refused([](ProgramEdit& e) { e.value_runs[0].count = 1 << 30; }));
  EXPECT_TRUE(refused([](ProgramEdit& e) { e.value_runs[0].fresh = 2; }));
  EXPECT_TRUE(refused([](ProgramEdit& e) { e.value_runs.pop_back(); }));
  EXPECT_TRUE(refused([](ProgramEdit& e) { e.step_runs[0].fresh = -1; }));
  EXPECT_TRUE(refused([](ProgramEdit& e) { e.kernels.clear(); }));
  EXPECT_TRUE(refused([](ProgramEdit& e) { e.steps[0].inputs[0] = 99; }));
  EXPECT_TRUE(refused([](ProgramEdit& e) { e.outputs = {-1}; }));
  EXPECT_FALSE(Apply(edit, RandomProgram(random, 2)).ok());
}

TEST(RunsAs, IsEqualWhereTheSameCodeRuns) {
  std::mt19937 random(2);
  const Program original = RandomProgram(random, 8);
  // The last step is the only one of its kernel in this copy.
  Program single = original;
  single.steps.back().kernel = "alone";
  single.kernels["alone"] = {"alone", "role", "a.so", "code a"};
  const Kernel mutated = {"alone", "role", "one.so", "code b"};
  const MutantProgram by_kernel{
      .mutant = "m", .replaced = {{"alone", mutated}}, .guarded = {"alone"}};
  auto by_step = [&](const Kernel& kernel) {
    Program program = single;
    program.steps.back().kernel = kernel.key;
    program.kernels[kernel.key] = kernel;
    return MutantProgram{.mutant = "n",
                         .graph_changed = true,
                         .edit = Difference(single, program),
                         .guarded = {kernel.key}};
  };
  const std::string code = RunsAs(by_kernel, single).value();
  EXPECT_EQ(RunsAs(by_step({"alone@x", "role", "other.so", "code b"}), single).value(), code)
      << "names of kernels and files do not matter";
  EXPECT_NE(RunsAs(by_step({"alone@x", "role", "other.so", "code c"}), single).value(), code);
  const auto unknown = [&](const char* library, const char* symbol) {
    return RunsAs(by_step({"alone@x", "role", library, "", symbol}), single).value();
  };
  EXPECT_NE(unknown("a.so", "kernel0"), unknown("a.so", "kernel1")) << "code that is not known";
  EXPECT_NE(unknown("a.so", "kernel0"), unknown("b.so", "kernel0"));
  MutantProgram unguarded = by_kernel;
  unguarded.guarded.clear();
  EXPECT_NE(RunsAs(unguarded, single).value(), code) << "what is watched is part of it";
  Program elsewhere = single;  // the same kernel for another step
  elsewhere.steps.front().kernel = "alone";
  const MutantProgram moved{
      .mutant = "o", .graph_changed = true, .edit = Difference(single, elsewhere)};
  EXPECT_NE(RunsAs(moved, single).value(), RunsAs({.mutant = "none"}, single).value());
  // Fates name the layer where a mutant diverges, and steps by their names.
  auto changed = [&](const std::function<void(Program&)>& change) {
    Program program = single;
    program.steps.back().kernel = "alone@x";
    program.kernels["alone@x"] = {"alone@x", "role", "one.so", "code b"};
    change(program);
    return RunsAs({.mutant = "p",
                   .graph_changed = true,
                   .edit = Difference(single, program),
                   .guarded = {"alone@x"}},
                  single)
        .value();
  };
  EXPECT_EQ(changed([](Program&) {}), code);
  EXPECT_NE(changed([](Program& p) { p.steps.back().layers.push_back("another"); }), code);
  EXPECT_NE(changed([](Program& p) { p.steps.back().inputs.at(0) = p.inputs.at(0); }), code);
  EXPECT_NE(changed([](Program& p) { p.outputs = {p.steps.front().outputs.at(0)}; }), code);
}

}  // namespace
}  // namespace mutatenn
