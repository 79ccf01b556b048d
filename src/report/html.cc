// The campaign as one HTML file that needs nothing else: no network, and no script but to filter
// and to open a mutant.
#include <fmt/format.h>

#include "report/html_parts.h"
#include "report/report.h"
#include "report/thumbnails.h"

namespace mutatenn {
namespace html {

std::string Head(std::initializer_list<std::string> cells) {
  std::string text;
  for (const std::string& cell : cells) text += "<th>" + MarkupText(cell) + "</th>";
  return text;
}

std::string Row(std::initializer_list<std::string> cells) {
  std::string text = "<tr>";
  for (const std::string& cell : cells) text += "<td>" + MarkupText(cell) + "</td>";
  return text + "</tr>\n";
}

std::string Percent(std::optional<double> share) {
  return share ? fmt::format("{:.1f} %", 100 * *share) : "not measured";
}

std::string Bounds(const std::optional<Interval>& interval) {
  return interval ? fmt::format("{:.1f}-{:.1f} %", 100 * interval->low, 100 * interval->high)
                  : "not measured";
}

std::string Table(const std::string& caption, const std::string& head, const std::string& rows) {
  return "<div class=\"scroll\" tabindex=\"0\"><table><caption>" + caption +
         "</caption><thead><tr>" + head + "</tr></thead><tbody>\n" + rows +
         "</tbody></table></div>\n";
}

}  // namespace html

namespace {

constexpr size_t kLimit = 4'900'000;     // bytes of the file, as far as something can be left out
constexpr size_t kThumbnails = 500'000;  // of them, over all models

std::string Meta(const CampaignView& view) {
  std::string rows;
  for (const char* key : {"campaign_id", "tool_version", "tvm_version", "rules_version",
                          "config_hash", "seed", "level", "timing"}) {
    const std::string* value = view.Meta(key);
    if (value) rows += html::Row({key, *value});
  }
  return html::Table("The campaign", html::Head({"", ""}), rows);
}

struct Section {
  const char* kind;
  const char* title;
  std::string content;
};
using Sections = std::vector<Section>;

void Write(TextFile& file, const std::string& model, size_t number, const Sections& sections) {
  std::string links;
  for (const Section& section : sections)
    links += fmt::format("<a href=\"#{}-{}\">{}</a>", section.kind, number, section.title);
  file.Append(
      fmt::format("<h1>{0}</h1><nav aria-label=\"{0}\">{1}</nav>\n", MarkupText(model), links));
  for (const Section& section : sections) {
    file.Append(fmt::format("<section class=\"{0}\" id=\"{0}-{1}\"><h2>{2}</h2>\n", section.kind,
                            number, section.title));
    file.Append(section.content);
    file.Append("</section>\n");
  }
}

Status WriteHtml(const CampaignView& view, const std::string& destination) {
  TextFile file = TRY(TextFile::Open(destination));
  file.Append(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Mutation "
      "testing</title>\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n<style>");
  file.Append(html::kStyle);
  file.Append("</style></head><body>\n<header><h1>Mutation testing</h1></header><main>\n");
  size_t size = 90'000;  // style, script, campaign, audit
  for (size_t m = 0; m < view.models.size(); ++m) {
    const ModelView& model = view.models[m];
    Sources sources = TRY(SourcesOf(view, model));
    Sections sections;
    sections.push_back({"overview", "Overview", html::Overview(view, model)});
    sections.push_back({"mutants", "Mutants", html::Mutants(view, model)});
    sections.push_back(
        {"kernels", "Kernels",
         "<p>The printed code where mutants changed it, with what became of them over all "
         "devices.</p>" +
             html::Kernels(model, sources, m)});
    sections.push_back(
        {"images", "Images",
         html::Images(view, model, m, Thumbnails(model.images, kThumbnails / view.models.size()))});
    sections.push_back({"devices", "Devices", TRY(html::Devices(view, model))});
    const std::string growth = TRY(html::Growth(view, model));
    if (!growth.empty()) sections.push_back({"growth", "Error growth", growth});
    sections.push_back({"times", "Times", html::Times(view, model)});
    for (const Section& section : sections) size += section.content.size();
    size_t left = size < kLimit ? (kLimit - size) / (view.models.size() - m) : 0;
    std::string data = html::MutantData(view, model, sources, left);
    size += data.size();
    sections[1].content += "<script type=\"application/json\">" + data + "</script>\n";
    Write(file, model.stored.name, m, sections);
  }
  file.Append(
      "</main><footer><h2>Campaign</h2>" + Meta(view) + TRY(html::AuditSection(view)) +
      "<p class=\"soft\">Every number comes from the campaign's store; docs/results.md says "
      "how.</p></footer>\n<script>");
  file.Append(html::kScript);
  file.Append("</script></body></html>\n");
  return file.Close();
}

REPORT(.name = "html", .summary = "one page for people, self-contained; a file or -",
       .write = WriteHtml);

}  // namespace
}  // namespace mutatenn
