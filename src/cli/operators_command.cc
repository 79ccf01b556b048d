// `mutatenn operators`: the registry as a table, as docs/operators.md, or as JSON.
#include <cstdio>

#include "cli/subcommand.h"
#include "mutation/operator_docs.h"

namespace mutatenn {
namespace {

class OperatorsCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("--format", format_, "table, markdown or json")
        ->check(CLI::IsMember({"table", "markdown", "json"}))
        ->capture_default_str();
    app.add_option("--goldens", goldens_,
                   "With markdown: the folder of the operators' goldens (tests/operators of the "
                   "sources), for an excerpt before and after each mutation");
  }
  Result<int> Run(const GlobalOptions&) override {
    const std::string text = format_ == "json"       ? OperatorsJson().dump(2) + "\n"
                             : format_ == "markdown" ? OperatorsMarkdown(goldens_)
                                                     : OperatorsTable();
    std::fputs(text.c_str(), stdout);
    return 0;
  }

 private:
  std::string format_ = "table", goldens_;
};

SUBCOMMAND(OperatorsCommand, .name = "operators", .order = 6,
           .summary = "List the mutation operators");

}  // namespace
}  // namespace mutatenn
