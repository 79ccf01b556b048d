// The campaign as a data set that others can use without this program: CSV tables, a codebook that
// says what each column means, and the configuration.
#include <fmt/format.h>

#include "base/files.h"
#include "judge/kill_rule.h"
#include "judge/top_json.h"
#include "report/fate_table.h"
#include "report/report.h"
#include "report/text_file.h"

namespace mutatenn {
namespace {

const std::vector<Column> kMutantColumns = {
    {"model", "name of the network"},
    {"mutant", "id, from content: the same on every machine"},
    {"operator", "mutation operator that made it"},
    {"category", "the operator's category"},
    {"level", "graph, code, lowered or build"},
    {"place", "finds it again after the compiler changed"},
    {"parameters", "of the operator's use, JSON"},
    {"points", "mutation points, JSON"},
    {"mark", "equivalent or accepted, said by people; empty = nothing"},
    {"device", "name of the device"},
    {"verdict",
     "killed, survived, equivalent, stillborn, crashed, timeout, unstable, ignored, "
     "pending; by the kill rule"},
    {"verdict_top1", "the verdict by the rule top1"},
    {"reason", "one line, for people"},
    {"same_as", "the mutant that was run for this one, as both run the same code"},
    {"out_of_bounds",
     "step, buffer, byte of the first access outside a mutated step's buffers; "
     "empty = none seen"}};
const std::vector<Column> kImageColumns = {
    {"model", "name of the network"},
    {"image", "name of the image"},
    {"position", "in the fixed order: smallest margin of the original first"},
    {"truth", "its class; empty = not known"},
    {"hash", "of the file, XXH3, 128 bits"}};
const std::vector<Column> kOriginalColumns = {
    {"model", "name of the network"},
    {"device", "name of the device"},
    {"image", "name of the image"},
    {"correct", "1 = the first label is the truth; empty = truth not known"},
    {"seconds", "of the run; differs from run to run"},
    {"top", "the best labels and raw outputs, [[label, score], ...], best first"}};

std::string Truth(const StoredImage& image) {
  return image.truth < 0 ? "" : std::to_string(image.truth);
}

std::string Mutants(const CampaignView& view) {
  std::string text = CsvHead(kMutantColumns);
  for (const ModelView& model : view.models) {
    for (const MutantView& mutant : model.mutants) {
      const StoredMutant& of = mutant.stored;
      const std::string points = DumpJson(mutant.points);
      const std::string parameters = mutant.parameters.is_null() ? "" : DumpJson(mutant.parameters);
      for (size_t d = 0; d < view.devices.size(); ++d) {
        const DeviceResult& result = mutant.devices[d];
        std::string outside;
        if (result.out_of_bounds) {
          outside = fmt::format("{}, {}, {}", result.out_of_bounds->step,
                                result.out_of_bounds->buffer, result.out_of_bounds->offset);
        }
        text +=
            CsvLine({of.model, of.id, of.op_id, of.category, of.level, of.place, parameters, points,
                     mutant.mark ? MarkName(mutant.mark->kind) : "", view.devices[d].name,
                     VerdictName(result.judgement.verdict), VerdictName(result.top1),
                     result.judgement.reason, result.same_as, outside});
      }
    }
  }
  return text;
}

std::string Images(const CampaignView& view) {
  std::string text = CsvHead(kImageColumns);
  for (const ModelView& model : view.models) {
    for (const StoredImage& image : model.images) {
      text += CsvLine(
          {image.model, image.name, std::to_string(image.position), Truth(image), image.hash});
    }
  }
  return text;
}

std::string Originals(const CampaignView& view) {
  std::string text = CsvHead(kOriginalColumns);
  for (const ModelView& model : view.models) {
    for (size_t d = 0; d < view.devices.size(); ++d) {
      for (size_t i = 0; i < model.images.size(); ++i) {
        const auto& original = model.originals[d][i];
        if (!original) continue;
        text += CsvLine({model.stored.name, view.devices[d].name, model.images[i].name,
                         !original->correct   ? ""
                         : *original->correct ? "1"
                                              : "0",
                         fmt::format("{}", original->seconds), DumpJson(TopToJson(original->top))});
      }
    }
  }
  return text;
}

std::string Codebook(const CampaignView& view) {
  std::string text =
      "# Codebook\n\nA mutation-testing campaign of `mutatenn`. The tables are CSV (RFC 4180, "
      "UTF-8, first row = names); `configuration.json` is what was asked for.\n\n";
  text += fmt::format(
      "Kill rule: `{}`; matrix: `{}`. An empty field is not known or does not "
      "apply; nothing that was not run is written as 0.\n",
      KillRuleText(view.rule), view.full_matrix ? "full" : "early");
  auto table = [&](const char* file, const char* row, const std::vector<Column>& columns) {
    text += fmt::format("\n## {}\n\nOne row: {}.\n\n| column | meaning |\n|---|---|\n", file, row);
    for (const Column& column : columns)
      text += fmt::format("| `{}` | {} |\n", column.name, column.meaning);
  };
  table("fates.csv", "a run of a mutant on an image and a device, as far as it was judged",
        FateColumns());
  table("mutants.csv", "a mutant on a device", kMutantColumns);
  table("images.csv", "an image of a network", kImageColumns);
  table("originals.csv", "a run of the unmutated network", kOriginalColumns);
  return text;
}

Status WriteDataset(const CampaignView& view, const std::string& destination) {
  if (destination == "-")
    return Fail(Code::kInvalidInput, "the dataset is several files: name a folder, not -");
  TRY(MakeDirectories(destination));
  const std::string* configuration = view.Meta("config");
  Json config = TRY(ParseJson(configuration ? *configuration : "{}", "the stored configuration"));
  TRY(WriteFile(destination + "/configuration.json", config.dump(1) + "\n"));
  TRY(WriteFile(destination + "/codebook.md", Codebook(view)));
  TRY(WriteFile(destination + "/mutants.csv", Mutants(view)));
  TRY(WriteFile(destination + "/images.csv", Images(view)));
  TRY(WriteFile(destination + "/originals.csv", Originals(view)));
  return WriteFateTable(view, destination + "/fates.csv");
}

REPORT(.name = "dataset", .summary = "CSV tables, their codebook, the configuration; a folder",
       .write = WriteDataset, .tree = true);

}  // namespace
}  // namespace mutatenn
