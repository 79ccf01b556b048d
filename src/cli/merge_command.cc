// `mutatenn merge`: campaigns that were run in parts, on several machines, as one.
#include <filesystem>

#include <fmt/format.h>

#include "analysis/merge.h"
#include "base/files.h"
#include "cli/campaign_use.h"

namespace mutatenn {
namespace {

class MergeCommand : public Subcommand {
 public:
  void Configure(CLI::App& app) override {
    app.add_option("DIR", folders_, "The parts' folders")->required()->expected(2, 1000);
    app.add_option("--out", out_, "The folder of the whole; must not hold a campaign")->required();
  }
  Result<int> Run(const GlobalOptions&) override {
    std::error_code error;
    if (std::filesystem::exists(StorePath(out_), error))
      return Fail(Code::kInvalidInput, out_, ": holds a campaign already; name another folder");
    std::vector<std::unique_ptr<Store>> stores;
    std::vector<MergeSource> sources;
    std::vector<Mark> marks;
    for (const std::string& folder : folders_) {
      stores.push_back(TRY(Store::OpenReadOnly(StorePath(folder))));
      sources.push_back({folder, stores.back().get()});
      for (Mark& mark : TRY(ReadMarks(folder))) marks.push_back(std::move(mark));
    }
    TRY(MakeDirectories(out_));
    // Aside and renamed: a merge that failed leaves no campaign.
    std::string aside = out_ + "/merging";
    std::filesystem::remove_all(aside, error);
    TRY(MakeDirectories(aside));
    Status merged = Into(sources, aside);
    if (merged.ok()) std::filesystem::rename(StorePath(aside), StorePath(out_), error);
    std::error_code ignored;
    std::filesystem::remove_all(aside, ignored);
    if (!merged.ok()) return merged.error();
    if (error) return Fail(Code::kIo, "cannot write ", out_, ": ", error.message());
    for (const Mark& mark : marks) TRY(WriteMark(out_, mark));
    TRY(PrintSummary(out_));
    return 0;
  }

 private:
  // Closed at the end, so that the log is in the file.
  static Status Into(const std::vector<MergeSource>& sources, const std::string& folder) {
    std::unique_ptr<Store> into = TRY(Store::Open(StorePath(folder)));
    return MergeCampaigns(sources, *into);
  }

  std::vector<std::string> folders_;
  std::string out_;
};

SUBCOMMAND(MergeCommand, .name = "merge", .order = 9,
           .summary = "Join parts of a campaign that were run apart");

}  // namespace
}  // namespace mutatenn
