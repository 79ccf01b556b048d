// What a campaign says while it runs, on stderr: on a terminal one line that is rewritten,
// elsewhere plain lines a few seconds apart. No thread: a line is written when something was
// counted.
#pragma once

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>

namespace mutatenn {

enum class Verbosity { kQuiet, kNormal, kVerbose };

struct ProgressOptions {
  Verbosity verbosity = Verbosity::kNormal;
  bool terminal = false;
  std::function<void(const std::string&)> write;  // stderr when empty
  std::function<double()> now;                    // seconds; the steady clock when empty
};

class Progress {
 public:
  explicit Progress(ProgressOptions options);
  ~Progress();
  // For a program: terminal or not is found out.
  static Progress ForStderr(Verbosity verbosity);

  // A stage with a known number of things to count; ends the one before. `done`: counted earlier (a
  // resumed campaign), left out of the rate.
  void Begin(const std::string& stage, int64_t total, int64_t done = 0);
  void Count(int64_t more = 1);
  void End();

  void Info(const std::string& line);    // --quiet hides it
  void Detail(const std::string& line);  // only with --verbose
  void Warn(const std::string& line);    // always

 private:
  std::string Line() const;
  void Show(bool last);
  void Say(const std::string& line);

  ProgressOptions options_;
  std::string stage_;
  int64_t total_ = 0, done_ = 0, before_ = 0;
  double begin_s_ = 0, shown_s_ = 0;
  bool on_line_ = false;  // the terminal's cursor stands on a line of ours
};

}  // namespace mutatenn
