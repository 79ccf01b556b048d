// A sample of stored fates, grouped so that each mutant is compiled once and each image loaded
// once, and what became of them the slow way.
#include "campaign/audit.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/scratch_folder.h"
#include "campaign/rebuild.h"
#include "campaign/steps.h"
#include "judge/top_json.h"

namespace mutatenn {
namespace {

constexpr double kCollect_s = 5;

std::string TopText(const std::string& ending, const std::vector<Ranked>& top) {
  if (top.empty()) return ending;
  return fmt::format("{}, label {} ({:.9g})", ending, top[0].label, top[0].score);
}

// "" where the two say the same; `noise` is what scores may differ by.
std::string Compare(const StoredFate& stored, const std::vector<Ranked>& before, const Fate& now,
                    double noise) {
  bool same = stored.ending == EndingName(now.ending) && before.size() == now.top.size();
  for (size_t i = 0; same && i < before.size(); ++i) {
    const double a = before[i].score, b = now.top[i].score;
    same = before[i].label == now.top[i].label &&
           (a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= noise);
  }
  if (same) return "";
  return "the campaign found " + TopText(stored.ending, before) +
         "; redone: " + TopText(EndingName(now.ending), now.top) +
         (now.detail.empty() ? "" : ", " + now.detail);
}

class Auditor {
 public:
  Auditor(const StoredCampaign& campaign, const CampaignParts& parts, Progress& progress)
      : campaign_(campaign), parts_(parts), progress_(progress) {}

  Result<Audit> Run(const AuditOptions& options) {
    Audit audit;
    TRY(Sample(options, &audit.population));
    progress_.Begin("redoing fates", static_cast<int64_t>(sample_.size()));
    for (const ModelConfig& model : campaign_.config.models) {
      for (const DeviceConfig& device : campaign_.config.devices) {
        std::vector<StoredFate> fates;
        for (const auto& [rank, fate] : sample_)
          if (fate.model == model.name && fate.device == device.name) fates.push_back(fate);
        std::sort(fates.begin(), fates.end(), [](const StoredFate& a, const StoredFate& b) {
          return std::pair(a.image, a.mutant) < std::pair(b.image, b.mutant);
        });
        if (!fates.empty()) TRY(Redo(model, device, fates, &audit.fates));
      }
    }
    progress_.End();
    return audit;
  }

 private:
  // The lowest of a hash of seed and fate: the same ones whatever the order in the store.
  Status Sample(const AuditOptions& options, int64_t* population) {
    for (const ModelConfig& model : campaign_.config.models)
      TRY(campaign_.store->EachFate(model.name, [&](const StoredFate& fate) -> Status {
        ++*population;
        const std::string key =
            fate.model + "\n" + fate.mutant + "\n" + fate.device + "\n" + fate.image;
        sample_.emplace(std::pair(SampleRank(options.seed, key), key), fate);
        if (std::ssize(sample_) > options.sample) sample_.erase(std::prev(sample_.end()));
        return Ok();
      }));
    return Ok();
  }

  // One model on one device.
  Status Redo(const ModelConfig& model, const DeviceConfig& device,
              const std::vector<StoredFate>& fates, std::vector<AuditedFate>* audited) {
    const ScratchFolder folder = TRY(ScratchFolder::Make("audit"));
    GeneratorOptions options = TRY(campaign_.Generator(model, device.target, folder.path()));
    options.jobs = campaign_.config.jobs;
    std::unique_ptr<Generator> generator = TRY(parts_.start_generator(options));
    std::vector<Mutant> mutants;
    std::set<std::string> ids;
    for (const StoredFate& fate : fates)
      if (ids.insert(fate.mutant).second)
        mutants.push_back(TRY(campaign_.Rebuild(TRY(campaign_.FindMutant(fate.mutant)))));
    std::map<std::string, BuiltMutant> built;
    TRY(generator->Build(0, mutants, [&](const BuiltMutant& done) -> Status {
      built[done.mutant] = done;
      return Ok();
    }));
    const std::string scratch = folder.path() + "/scratch";
    TRY(MakeDirectories(scratch));
    std::unique_ptr<Session> session = TRY(parts_.open_session(device, scratch));
    LoadRequest request;
    request.root = folder.path();
    request.program = generator->info().programs.at(0);
    generator.reset();
    request.memory_budget_bytes = device.memory_budget_mb << 20;
    request.top_k = campaign_.config.top_k;
    request.limits.factor = campaign_.config.timeout_factor;
    request.limits.floor_s = campaign_.config.timeout_floor_s;
    request.scratch = scratch;
    TRY(session->Load(request));
    TRY(ReadNoise(model.name, device.name));
    for (size_t begin = 0, end; begin < fates.size(); begin = end) {
      for (end = begin; end < fates.size() && fates[end].image == fates[begin].image;) ++end;
      const std::string input = TRY(PrepareImage(model, fates[begin].image, folder.path()));
      TRY(session->SetImages({{fates[begin].image, input}}));
      for (size_t i = begin; i < end; ++i) {
        TRY(CheckStop());
        audited->push_back({model.name, fates[i].mutant, device.name, fates[i].image,
                            TRY(RedoOne(*session, fates[i], built[fates[i].mutant]))});
        progress_.Count();
      }
    }
    return Ok();
  }

  // What is different, "" = nothing.
  Result<std::string> RedoOne(Session& session, const StoredFate& stored,
                              const BuiltMutant& built) {
    if (built.state != "ok") return "the mutant is " + built.state + " now: " + built.reason;
    MutantJob job;
    job.program = built.program;
    job.images = {stored.image};
    job.slow_oracle = true;
    TRY(session.Submit({job}));
    for (;;) {
      TRY(CheckStop());
      for (const MutantDone& done : TRY(session.Collect(kCollect_s))) {
        if (!done.tool_error.empty())
          return Fail(Code::kUnavailable, "mutant ", done.mutant, ": ", done.tool_error);
        if (done.fates.size() != 1)
          return Fail(Code::kInternal, "the worker gave no fate of mutant ", done.mutant);
        return Compare(stored,
                       TRY(TopFromText(stored.top_json, "the stored fate of " + stored.mutant)),
                       done.fates[0], noise_[stored.image]);
      }
    }
  }

  Result<std::string> PrepareImage(const ModelConfig& model, const std::string& name,
                                   const std::string& folder) {
    for (const StoredImage& image : TRY(campaign_.store->Images(model.name))) {
      if (image.name != name) continue;
      if (HashBytes(TRY(ReadFile(image.path))) != image.hash)
        return Fail(Code::kInvalidInput, image.path,
                    ": is not the image that the campaign was run on");
      const ImageTensor tensor = TRY(LoadImage(image.path, model.preprocessing));
      const std::string file = folder + "/input-" + HashBytes(name) + ".bin";
      TRY(WriteFile(file, {reinterpret_cast<const char*>(tensor.data.data()),
                           tensor.data.size() * sizeof(float)}));
      return file;
    }
    return Fail(Code::kInternal, "the store has a fate of an image '", name, "' that it lacks");
  }

  // By how much an output of the original differed between runs, by image.
  Status ReadNoise(const std::string& model, const std::string& device) {
    noise_.clear();
    for (const StoredRepeat& repeat : TRY(campaign_.store->Repeats(model))) {
      if (repeat.device != device) continue;
      for (const Json& spread : TRY(ParseJson(repeat.spread_json, "the stored spread")))
        if (spread.is_number())
          noise_[repeat.image] = std::max(noise_[repeat.image], spread.get<double>());
    }
    return Ok();
  }

  Status CheckStop() const {
    if (parts_.interrupted()) return Fail(Code::kUnavailable, "interrupted");
    return Ok();
  }

  const StoredCampaign& campaign_;
  const CampaignParts& parts_;
  Progress& progress_;
  std::map<std::pair<uint64_t, std::string>, StoredFate> sample_;
  std::map<std::string, double> noise_;
};

}  // namespace

Result<Audit> AuditCampaign(const AuditOptions& options, const CampaignParts& parts,
                            Progress& progress) {
  if (options.sample < 1) return Fail(Code::kInvalidInput, "--sample: is below 1");
  const StoredCampaign campaign = TRY(OpenStoredCampaign(options.folder));
  return Auditor(campaign, parts, progress).Run(options);
}

}  // namespace mutatenn
