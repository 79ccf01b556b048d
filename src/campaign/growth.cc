// Stored programs to pairs of loaded sessions, and their comparison step by step to rows.
#include "campaign/growth.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "analysis/devices.h"
#include "analysis/kill_matrix.h"
#include "base/files.h"
#include "base/scratch_folder.h"
#include "campaign/compare.h"
#include "campaign/rebuild.h"

namespace mutatenn {
namespace {

class Grower {
 public:
  Grower(const StoredCampaign& campaign, const CampaignView& view, const CampaignParts& parts,
         Progress& progress, std::string scratch)
      : campaign_(campaign),
        view_(view),
        parts_(parts),
        progress_(progress),
        scratch_(std::move(scratch)) {}

  Status Devices(const ModelView& model) {
    for (size_t a = 0; a < view_.devices.size(); ++a)
      for (size_t b = a + 1; b < view_.devices.size(); ++b) TRY(Devices(model, a, b));
    return Ok();
  }
  Status Devices(const ModelView& model, size_t a, size_t b) {
    const std::optional<size_t> image = ImageOf(model, a, b);
    if (image) {
      Side first = TRY(Original(model, a)), other = TRY(Original(model, b));
      TRY(Compare(model, "", first, other, view_.devices[a].name, view_.devices[b].name, *image));
    }
    return Ok();
  }

  // On every device that it ran on.
  Status Mutants(const ModelView& model, const std::set<size_t>& mutants) {
    for (size_t d = 0; d < view_.devices.size(); ++d) {
      std::optional<Side> original, side;
      for (size_t m : mutants) {
        const MutantView& mutant = model.mutants[m];
        const std::optional<size_t> image = ImageOf(model, mutant.devices[d]);
        if (!image) continue;
        if (!original) original = TRY(Original(model, d));
        if (!side) side = TRY(Original(model, d));
        const auto build = TRY(campaign_.store->Build(model.stored.name, mutant.stored.id,
                                                      view_.devices[d].target_index));
        if (!build || build->state != "ok") continue;
        const std::string where = "the stored build of " + mutant.stored.id;
        const MutantProgram edit =
            TRY(MutantProgramFromJson(TRY(ParseJson(build->program_json, where))));
        side->name = "mutant " + mutant.stored.id + " on " + view_.devices[d].name;
        side->program = TRY(edit.Apply(original->program).With(where));
        side->request.program = side->program;
        TRY(side->session->Load(side->request).With(side->name));
        if (TRY(Compare(model, mutant.stored.id, *original, *side, view_.devices[d].name, "",
                        *image)))
          original.reset(), side.reset();  // with the worker that ended
      }
    }
    return Ok();
  }

  std::vector<StoredGrowth> rows() && { return std::move(rows_); }

 private:
  static std::optional<size_t> ImageOf(const ModelView& model, size_t a, size_t b) {
    std::optional<size_t> first;
    for (size_t i = 0; i < model.images.size(); ++i) {
      const auto &of_a = model.originals[a][i], &of_b = model.originals[b][i];
      if (!of_a || !of_b) continue;
      if (KilledByTop1(of_a->top, of_b->top)) return i;
      if (!first) first = i;
    }
    return first;
  }

  // The image whose run says most of the mutant.
  static std::optional<size_t> ImageOf(const ModelView& model, const DeviceResult& result) {
    std::optional<size_t> found;
    for (const Outcome& outcome : result.outcomes) {
      const auto image = static_cast<size_t>(outcome.image);
      if (model.images[image].name == result.judgement.killing_image) return image;
      if (outcome.infected && !found) found = image;
    }
    return found;
  }

  Result<Side> Original(const ModelView& model, size_t device) {
    const StoredDevice& stored = view_.devices[device];
    const DeviceConfig& config = *TRY(campaign_.Device(stored.name));
    Side side{.name = stored.name, .timeout_s = config.timeout_s};
    bool found = false;
    for (const StoredProgram& row : TRY(campaign_.store->Programs())) {
      if (row.model != model.stored.name || row.target_index != stored.target_index) continue;
      side.program = TRY(ProgramFromJson(TRY(ParseJson(row.program_json, "the stored program"))));
      found = true;
    }
    if (!found) return Fail(Code::kNotFound, campaign_.folder, ": was not built for ", stored.name);
    for (const StoredFloor& row : TRY(campaign_.store->Floors(model.stored.name, stored.name))) {
      double& largest = side.floors[row.step];
      largest = std::max(largest, row.floor);
    }
    side.request.root = std::filesystem::absolute(campaign_.folder).string();
    side.request.program = side.program;
    side.request.memory_budget_bytes = config.memory_budget_mb << 20;
    side.request.scratch = scratch_;
    side.session = TRY(parts_.open_session(config, scratch_).With(stored.name));
    TRY(side.session->Load(side.request).With(stored.name));
    return side;
  }

  // True where a side ended on the way.
  Result<bool> Compare(const ModelView& model, const std::string& mutant, Side& a, Side& b,
                       const std::string& device, const std::string& against, size_t image) {
    if (parts_.interrupted()) return Fail(Code::kUnavailable, "interrupted");
    const StoredImage& of = model.images[image];
    auto read = [&](int) -> Result<CompareInput> {
      return CompareInput{of.name, TRY(ReadFile(campaign_.folder + "/" + of.input_file))};
    };
    const Comparison found = TRY(CompareSides(a, b, 1, read, progress_));
    bool died = false;
    for (size_t k = 0; k < found.steps.size() && !died; ++k) {
      const ComparedStep& step = found.steps[k];
      died = !step.died.empty();
      rows_.push_back({model.stored.name, mutant, device, against, static_cast<int>(k), of.name,
                       step.name, step.layers.empty() ? "" : step.layers.back(),
                       step.total.largest_abs, step.total.scale, step.local.largest_abs, step.floor,
                       step.total.nonfinite, step.died});
    }
    return died;
  }

  const StoredCampaign& campaign_;
  const CampaignView& view_;
  const CampaignParts& parts_;
  Progress& progress_;
  std::string scratch_;
  std::vector<StoredGrowth> rows_;
};

// The mutants that are asked for, by index.
Result<std::set<size_t>> Chosen(const ModelView& model, const GrowthOptions& options,
                                std::set<std::string>* known) {
  std::set<size_t> chosen;
  for (const std::string& id : options.mutants)
    for (size_t m = 0; m < model.mutants.size(); ++m) {
      if (!model.mutants[m].stored.id.starts_with(id)) continue;
      if (!known->insert(id).second)
        return Fail(Code::kInvalidInput, "'", id, "' is the beginning of several mutants' ids");
      chosen.insert(m);
    }
  std::vector<size_t> ranked;
  for (const Disagreement& disagreement : Disagreements(SpreadsOf(model)))
    ranked.push_back(disagreement.mutant);
  const size_t devices = model.originals.size();
  for (size_t d = 0; d < devices; ++d)
    for (const NearSurvivor& survivor : NearSurvivors(model, static_cast<int>(d)))
      if (survivor.infected > 0) ranked.push_back(survivor.mutant);
  const size_t wanted = chosen.size() + static_cast<size_t>(options.top);
  for (size_t i = 0; i < ranked.size() && chosen.size() < wanted; ++i) chosen.insert(ranked[i]);
  return chosen;
}

}  // namespace

Result<std::vector<StoredGrowth>> MeasureGrowth(const GrowthOptions& options,
                                                const CampaignParts& parts, Progress& progress) {
  std::vector<StoredGrowth> rows;
  {
    const StoredCampaign campaign = TRY(OpenStoredCampaign(options.folder));
    const CampaignView view = TRY(ReadCampaign(*campaign.store));
    const ScratchFolder folder = TRY(ScratchFolder::Make("growth"));
    Grower grower(campaign, view, parts, progress, folder.path());
    std::set<std::string> known;
    std::vector<std::set<size_t>> chosen;
    for (const ModelView& model : view.models)
      chosen.push_back(TRY(Chosen(model, options, &known)));
    for (const std::string& id : options.mutants)
      if (!known.contains(id))
        return Fail(Code::kNotFound, options.folder, ": has no mutant '", id, "'");
    for (size_t m = 0; m < view.models.size(); ++m) {
      TRY(grower.Devices(view.models[m]));
      TRY(grower.Mutants(view.models[m], chosen[m]));
    }
    rows = std::move(grower).rows();
  }
  TRY(TRY(Store::Open(StorePath(options.folder)))->PutGrowth(rows));
  return rows;
}

}  // namespace mutatenn
