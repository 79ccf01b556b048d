// The pieces of the HTML report; html.cc puts them together. Each returns whole elements.
#pragma once

#include <string>
#include <vector>

#include "analysis/campaign_view.h"
#include "analysis/scores.h"
#include "report/sources.h"
#include "report/text_file.h"

namespace mutatenn::html {

// html_assets.cc
extern const char* const kStyle;
extern const char* const kScript;

// html_overview.cc
std::string Overview(const CampaignView& view, const ModelView& model);
Result<std::string> Devices(const CampaignView& view, const ModelView& model);
// `thumbnails`: of each image, "" = none (thumbnails.h). `number` of the model enters their ids.
std::string Images(const CampaignView& view, const ModelView& model, size_t number,
                   const std::vector<std::string>& thumbnails);
// html_growth.cc: rounding floors of every step; and what `mutatenn growth` stored, "" = nothing
Result<std::string> Floors(const CampaignView& view, const ModelView& model);
Result<std::string> Growth(const CampaignView& view, const ModelView& model);
// html_audit.cc
Result<std::string> AuditSection(const CampaignView& view);
// html_times.cc
std::string Times(const CampaignView& view, const ModelView& model);
// html_mutants.cc
std::string Mutants(const CampaignView& view, const ModelView& model);
std::string Kernels(const ModelView& model, const Sources& sources, size_t number);
// What the page of a mutant needs, as JSON: runs always, reasons and edits while the whole stays
// under `limit` bytes, survivors' first.
std::string MutantData(const CampaignView& view, const ModelView& model, const Sources& sources,
                       size_t limit);

// "<th>..</th>" and "<td>..</td>" of escaped text.
std::string Head(std::initializer_list<std::string> cells);
std::string Row(std::initializer_list<std::string> cells);
// "75.0 %" or "not measured".
std::string Percent(std::optional<double> share);
std::string Bounds(const std::optional<Interval>& interval);
// A table that scrolls alone when it is wide. `caption` says what one row is.
std::string Table(const std::string& caption, const std::string& head, const std::string& rows);

}  // namespace mutatenn::html
