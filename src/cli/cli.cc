// From the command line to a sub-command, and from its result to an exit status and one line on
// stderr.
#include <algorithm>
#include <cstdio>

#include "campaign/key_table.h"
#include "campaign/version.h"
#include "cli/subcommand.h"

namespace mutatenn {
namespace {

std::vector<SubcommandEntry>& Registry() {
  static std::vector<SubcommandEntry> entries;
  return entries;
}

int Complain(const std::string& message, int status) {
  std::fprintf(stderr, "mutatenn: %s\n", message.c_str());
  return status;
}

}  // namespace

RegisterSubcommand::RegisterSubcommand(SubcommandEntry entry) {
  Registry().push_back(std::move(entry));
}

std::vector<SubcommandEntry> AllSubcommands() {
  std::vector<SubcommandEntry> entries = Registry();
  std::sort(entries.begin(), entries.end(), [](const SubcommandEntry& a, const SubcommandEntry& b) {
    return std::pair(a.order, a.name) < std::pair(b.order, b.name);
  });
  return entries;
}

std::unique_ptr<Cli> MakeCli() {
  auto cli = std::make_unique<Cli>();
  cli->app.set_version_flag("--version", std::string("mutatenn ") + kToolVersion);
  auto* quiet = cli->app.add_flag("-q,--quiet", cli->quiet, "Warnings and results only");
  auto* verbose = cli->app.add_flag("-v,--verbose", cli->verbose, "More about what is done");
  quiet->excludes(verbose);
  cli->app.require_subcommand(1);
  for (const SubcommandEntry& entry : AllSubcommands()) {
    CLI::App* app = cli->app.add_subcommand(entry.name, entry.summary);
    if (entry.audience == Audience::kOurselves) app->group("");
    app->fallthrough();  // --quiet may stand behind the sub-command
    std::unique_ptr<Subcommand> command = entry.make();
    command->Configure(*app);
    cli->commands.emplace_back(app, std::move(command));
  }
  return cli;
}

namespace {

// What CLI11 complains of, said of the word that is wrong: it reports a missing argument before a
// misspelt option.
std::string Explain(const Cli& cli, const std::vector<std::string>& words,
                    const CLI::ParseError& error) {
  std::vector<std::string> names;
  const CLI::App* chosen = nullptr;
  for (const auto& [app, command] : cli.commands) {
    if (!app->get_group().empty()) names.push_back(app->get_name());
  }
  for (const std::string& word : words) {
    if (word.size() > 1 && word[0] == '-') {
      std::string option = word.substr(0, word.find('='));
      const CLI::App& app = chosen != nullptr ? *chosen : cli.app;
      bool known = cli.app.get_option_no_throw(option) != nullptr ||
                   app.get_option_no_throw(option) != nullptr;
      bool number = option.find_first_not_of("-0123456789.") == std::string::npos;
      if (known || number) continue;
      std::vector<std::string> options;
      for (const CLI::Option* one : app.get_options()) {
        for (const std::string& name : one->get_lnames()) options.push_back("--" + name);
      }
      return "'" + option + "' is no option of " +
             (chosen ? "`mutatenn " + chosen->get_name() + "`" : "mutatenn") +
             DidYouMean(option, options);
    }
    if (chosen != nullptr) continue;
    for (const auto& [app, command] : cli.commands) {
      if (app->get_name() == word) chosen = app;
    }
    if (chosen == nullptr) return "'" + word + "' is no sub-command" + DidYouMean(word, names);
  }
  return error.what();
}

}  // namespace

int RunCli(int argc, const char* const* argv) {
  std::unique_ptr<Cli> cli = MakeCli();
  try {
    cli->app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return cli->app.exit(error);  // --help, --version
    std::string text = Explain(*cli, {argv + 1, argv + argc}, error);
    std::replace(text.begin(), text.end(), '\n', ' ');
    std::string help = "mutatenn";
    for (CLI::App* sub : cli->app.get_subcommands()) help += " " + sub->get_name();
    return Complain(text + " (`" + help + " --help` explains)", ExitStatus(Code::kInvalidInput));
  }
  if (cli->quiet) cli->options.verbosity = Verbosity::kQuiet;
  if (cli->verbose) cli->options.verbosity = Verbosity::kVerbose;
  for (auto& [app, command] : cli->commands) {
    if (!app->parsed()) continue;
    Result<int> status = command->Run(cli->options);
    if (!status.ok()) {
      // One line, whatever a library put into its message.
      std::string text = status.error().message;
      std::replace(text.begin(), text.end(), '\n', ' ');
      return Complain(text, ExitStatus(status.error().code));
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
      return Complain("cannot write to standard output", ExitStatus(Code::kIo));
    }
    return *status;
  }
  return Complain("no sub-command", ExitStatus(Code::kInvalidInput));
}

}  // namespace mutatenn
