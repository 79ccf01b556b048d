// `mutatenn convert-config`: the original tool's config.json as a campaign's configuration.
#include <cstdio>

#include "base/files.h"
#include "campaign/convert_config.h"
#include "cli/subcommand.h"

namespace mutatenn {
namespace {

class ConvertConfigCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("CONFIG", config_, "The config.json of luludak/MutateNN")->required();
    app.add_option("--list", list_,
                   "Which of its lists of mutations: mutations (which that tool reads), "
                   "mutations_parameterized or mutations_all")
        ->capture_default_str();
    app.add_option("--out", out_, "The file to write; - = stdout")->capture_default_str();
  }
  Result<int> Run(const GlobalOptions&) override {
    const Json json = TRY(ParseJson(TRY(ReadFile(config_)), config_));
    auto converted = ConvertToolConfig(json, list_, RegisteredOperators());
    if (!converted.ok())
      return Fail(converted.error().code, config_, ": ", converted.error().message);
    for (const std::string& note : converted->notes)
      std::fprintf(stderr, "%s: %s\n", config_.c_str(), note.c_str());
    const std::string text = converted->config.dump(2) + "\n";
    if (out_ == "-") {
      std::fputs(text.c_str(), stdout);
    } else {
      TRY(WriteFile(out_, text));
    }
    return 0;
  }

 private:
  std::string config_, list_ = "mutations", out_ = "-";
};

SUBCOMMAND(ConvertConfigCommand, .name = "convert-config", .order = 11,
           .summary = "Write a configuration from the config.json of the original tool");

}  // namespace
}  // namespace mutatenn
