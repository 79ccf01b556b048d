// A report turns a campaign view into text or files. One file a report; it registers itself:
//   REPORT(.name = "json", .summary = "...", .write = WriteJson);
// Rooms are object libraries, so that no linker drops a report that nobody calls by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/campaign_view.h"
#include "base/result.h"

namespace mutatenn {

struct Report {
  std::string name;     // of `mutatenn report --format <name>`
  std::string summary;  // one line for --help
  // `destination`: a file or "-" (standard output), or a folder, as the summary says.
  Status (*write)(const CampaignView& view, const std::string& destination) = nullptr;
  // A tree of files: without a destination it goes into a folder of its name in the campaign's.
  bool tree = false;
  bool keep_fates = false;  // it needs a view read with ReadOptions::keep_fates
};

// Sorted by name, whatever the order of linking.
std::vector<const Report*> AllReports();
// Null when there is none of that name.
const Report* FindReport(const std::string& name);

// To a file, written aside and renamed, or to standard output ("-"). kIo names the file.
Status WriteText(const std::string& destination, std::string_view text);

// The mutant's verdict on each device, "host: killed, board: survived".
std::string VerdictsText(const CampaignView& view, const MutantView& mutant);

// The campaign's optimisation level, as it enters file names of the paper's tree.
std::string OptimisationLevel(const CampaignView& view);

class RegisterReport {
 public:
  explicit RegisterReport(Report report);
};

}  // namespace mutatenn

#define REPORT(...)                                            \
  static const ::mutatenn::RegisterReport registered_report_ { \
    ::mutatenn::Report { __VA_ARGS__ }                         \
  }
