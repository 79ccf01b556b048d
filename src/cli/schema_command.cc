// `mutatenn schema`: the configuration's JSON schema, as docs/campaign.schema.json holds it.
#include <cstdio>

#include "campaign/key_table.h"
#include "cli/subcommand.h"

namespace mutatenn {
namespace {

class SchemaCommand : public Subcommand {
 public:
  void Configure(CLI::App&) override {}
  Result<int> Run(const GlobalOptions&) override {
    std::fputs(CampaignSchema().c_str(), stdout);
    return 0;
  }
};

SUBCOMMAND(SchemaCommand, .name = "schema", .order = 10,
           .summary = "Print the JSON schema of a campaign's configuration");

}  // namespace
}  // namespace mutatenn
