// Counts to lines: "running on host 120/200 (60 %), 8.3/s, 10 s left".
#include "campaign/progress.h"

#include <unistd.h>

#include <fmt/format.h>

namespace mutatenn {
namespace {

constexpr double kTerminalInterval_s = 0.1;
constexpr double kPlainInterval_s = 5;

std::string Duration(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  if (seconds < 90 * 60) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

Progress::Progress(ProgressOptions options) : options_(std::move(options)) {
  if (!options_.write) {
    options_.write = [](const std::string& text) {
      std::fwrite(text.data(), 1, text.size(), stderr);
      std::fflush(stderr);
    };
  }
  if (!options_.now) {
    options_.now = [] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
          .count();
    };
  }
}

Progress::~Progress() { End(); }

Progress Progress::ForStderr(Verbosity verbosity) {
  ProgressOptions options;
  options.verbosity = verbosity;
  options.terminal = ::isatty(STDERR_FILENO) != 0;
  return Progress(std::move(options));
}

void Progress::Begin(const std::string& stage, int64_t total, int64_t done) {
  End();
  stage_ = stage;
  total_ = total;
  done_ = before_ = done;
  begin_s_ = shown_s_ = options_.now();
  if (options_.terminal) Show(/*last=*/false);
}

void Progress::Count(int64_t more) {
  done_ += more;
  if (stage_.empty()) return;
  double interval = options_.terminal ? kTerminalInterval_s : kPlainInterval_s;
  if (options_.now() - shown_s_ >= interval) Show(/*last=*/false);
}

void Progress::End() {
  if (stage_.empty()) return;
  Show(/*last=*/true);
  stage_.clear();
}

std::string Progress::Line() const {
  double elapsed = options_.now() - begin_s_;
  std::string line =
      total_ > 0 ? fmt::format("{} {}/{} ({} %)", stage_, done_, total_, done_ * 100 / total_)
                 : fmt::format("{} {}", stage_, done_);
  int64_t fresh = done_ - before_;
  if (fresh > 0 && elapsed > 0.05) {
    double rate = static_cast<double>(fresh) / elapsed;
    line += rate >= 1 ? fmt::format(", {:.1f}/s", rate) : fmt::format(", {:.1f}/min", rate * 60);
    if (done_ < total_)
      line += fmt::format(", {} left", Duration(static_cast<double>(total_ - done_) / rate));
  }
  return line;
}

void Progress::Show(bool last) {
  shown_s_ = options_.now();
  if (options_.verbosity == Verbosity::kQuiet) return;
  if (!options_.terminal) {
    options_.write(Line() + "\n");
    return;
  }
  options_.write("\r\x1b[K" + Line() + (last ? "\n" : ""));
  on_line_ = !last;
}

void Progress::Say(const std::string& line) {
  options_.write((on_line_ ? "\r\x1b[K" : "") + line + "\n");
  on_line_ = false;
  if (options_.terminal && !stage_.empty()) Show(/*last=*/false);
}

void Progress::Info(const std::string& line) {
  if (options_.verbosity != Verbosity::kQuiet) Say(line);
}
void Progress::Detail(const std::string& line) {
  if (options_.verbosity == Verbosity::kVerbose) Say(line);
}
void Progress::Warn(const std::string& line) { Say("mutatenn: warning: " + line); }

}  // namespace mutatenn
