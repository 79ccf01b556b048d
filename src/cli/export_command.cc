// `mutatenn export`: one mutant of a campaign for other programs.
#include "campaign/export.h"
#include "cli/campaign_use.h"

namespace mutatenn {
namespace {

class ExportCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    AddMutantArguments(app, options_.folder, options_.mutant);
    app.add_option("--as", options_.as,
                   "irmodule: TVM's JSON of the mutated network (tvm.ir.load_json)\n"
                   "library: a shared library for Relax's virtual machine\n"
                   "replay: one file that `mutatenn replay`, or run.sh in it, runs anywhere\n"
                   "script: one Python file that needs TVM and numpy only, runs original and "
                   "mutant and prints how they differ")
        ->required()
        ->check(CLI::IsMember({"irmodule", "library", "replay", "script"}));
    app.add_option("--device", options_.device, "For its target; without it, the first one's");
    app.add_option(
        "--image", options_.images,
        "Of replay and script: this image (several times: these); without it, the first one "
        "that the mutant was run on");
    app.add_option("--worker", options_.worker,
                   "Of replay: folder with mutatenn-worker and its libraries for another kind of "
                   "machine");
    app.add_option("--out", options_.file, "The file to write")->required();
  }
  Result<int> Run(const GlobalOptions&) override {
    {
      OpenCampaign open = TRY(OpenToRead(options_.folder));
      options_.mutant =
          TRY(FindMutant(open.view, options_.folder, options_.mutant)).mutant->stored.id;
    }
    TRY(ExportMutant(options_, RealParts()));
    return 0;
  }

 private:
  ExportOptions options_;
};

SUBCOMMAND(ExportCommand, .name = "export", .order = 8,
           .summary = "Write one mutant for other programs: module, library, replay, script");

}  // namespace
}  // namespace mutatenn
