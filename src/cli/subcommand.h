// A sub-command of `mutatenn`: one file defines and registers one; nothing else is edited to add
// it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "campaign/progress.h"

namespace mutatenn {

// Options that every sub-command takes.
struct GlobalOptions {
  Verbosity verbosity = Verbosity::kNormal;
};

class Subcommand {
 public:
  virtual ~Subcommand() = default;
  // Declares options; CLI11 writes their values into members.
  virtual void Configure(CLI::App& app) = 0;
  // The exit status; an error becomes one line on stderr and its code's status.
  virtual Result<int> Run(const GlobalOptions& options) = 0;
};

enum class Audience { kUsers, kOurselves };

struct SubcommandEntry {
  std::string name;
  int order = 0;                         // in the help
  std::string summary;                   // one sentence
  Audience audience = Audience::kUsers;  // kOurselves: not in the help
  std::unique_ptr<Subcommand> (*make)() = nullptr;
};

// In the order of the help.
std::vector<SubcommandEntry> AllSubcommands();

struct RegisterSubcommand {
  explicit RegisterSubcommand(SubcommandEntry entry);
};
// SUBCOMMAND(RunCommand, .name = "run", .order = 1, .summary = "...");
#define SUBCOMMAND(Class, ...)                                               \
  static const ::mutatenn::RegisterSubcommand register_subcommand_ {         \
    ::mutatenn::SubcommandEntry {                                            \
      __VA_ARGS__, .make = []() -> std::unique_ptr<::mutatenn::Subcommand> { \
        return std::make_unique<Class>();                                    \
      }                                                                      \
    }                                                                        \
  }

// An application with every sub-command configured. `commands` keeps them alive, by name.
struct Cli {
  CLI::App app{"MutateNN: mutation testing of deep-learning models on different devices.",
               "mutatenn"};
  GlobalOptions options;
  bool quiet = false, verbose = false;
  std::vector<std::pair<CLI::App*, std::unique_ptr<Subcommand>>> commands;
};
std::unique_ptr<Cli> MakeCli();

// The whole program: parses, runs, reports. Returns the exit status.
int RunCli(int argc, const char* const* argv);

// Exit status when all went well but a limit of the user's (--min-score, ...) was not kept.
inline constexpr int kExitGateFailed = 7;
// Exit status of a campaign that the user stopped, as shells know it.
inline constexpr int kExitInterrupted = 130;

}  // namespace mutatenn
