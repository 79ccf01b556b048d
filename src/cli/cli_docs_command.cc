// `mutatenn cli-docs`: docs/cli.md, from the same declarations as --help.
#include <cstdio>

#include "cli/cli_docs.h"
#include "cli/subcommand.h"

namespace mutatenn {

std::string CliDocs() {
  std::string text =
      "# The command line\n\n"
      "Written by `mutatenn cli-docs`; do not edit.\n\n"
      "Results go to standard output, everything else to standard error. An error is one line\n"
      "`mutatenn: WHAT: REMEDY` and one of these exit statuses:\n\n"
      "| status | meaning |\n|---|---|\n"
      "| 0 | done |\n"
      "| 1 | a bug of mutatenn |\n"
      "| 2 | the command line, configuration, model, image or folder is wrong, or something named "
      "does not exist |\n"
      "| 3 | reading or writing failed: permissions, a full disk |\n"
      "| 4 | TVM, or this build, cannot do it |\n"
      "| 5 | a device or process is gone, or mutants are left pending; the same command goes on |\n"
      "| 6 | something took longer than its limit |\n"
      "| 7 | done, but a limit was not kept: --min-score, --max-disagreement, or verify or compare "
      "found a "
      "difference |\n"
      "| 130 | stopped by Ctrl-C; the same command goes on |\n\n"
      "Everything measured is stored as it comes: after any of these, the same command goes on "
      "where it was.\n";
  std::unique_ptr<Cli> cli = MakeCli();
  auto block = [](const std::string& help) {
    size_t begin = help.find_first_not_of('\n');
    size_t end = help.find_last_not_of('\n');
    return "\n```\n" + help.substr(begin, end + 1 - begin) + "\n```\n";
  };
  text += block(cli->app.help());
  for (const SubcommandEntry& entry : AllSubcommands()) {
    if (entry.audience == Audience::kOurselves) continue;
    text +=
        "\n## " + entry.name + "\n" + block(cli->app.get_subcommand(entry.name)->help("mutatenn"));
  }
  return text;
}

namespace {

class CliDocsCommand : public Subcommand {
 public:
  void Configure(CLI::App&) override {}
  Result<int> Run(const GlobalOptions&) override {
    std::fputs(CliDocs().c_str(), stdout);
    return 0;
  }
};

SUBCOMMAND(CliDocsCommand, .name = "cli-docs", .order = 101, .summary = "Print docs/cli.md",
           .audience = Audience::kOurselves);

}  // namespace
}  // namespace mutatenn
