// Stored hashes and fates of two devices side by side.
#include "campaign/bitwise.h"

#include <cstring>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "program/program.h"

namespace mutatenn {
namespace {

// "step 'x' (layer_a, layer_b)"
Result<std::string> StepText(Store& store, const std::string& model, const std::string& name) {
  if (name.empty()) return std::string("the network's outputs");
  for (const StoredProgram& stored : TRY(store.Programs())) {
    if (stored.model != model) continue;
    const Program program =
        TRY(ProgramFromJson(TRY(ParseJson(stored.program_json, "the stored program"))));
    for (const Step& step : program.steps)
      if (step.name == name)
        return fmt::format("step '{}' ({})", name, fmt::join(step.layers, ", "));
  }
  return fmt::format("step '{}'", name);
}

// By image and place in the program: what the original made.
using Hashes = std::map<std::pair<std::string, int>, StoredStepHash>;

Result<Hashes> HashesOf(Store& store, const std::string& model, const std::string& device) {
  Hashes hashes;
  for (StoredStepHash& row : TRY(store.StepHashes(model, device)))
    hashes.emplace(std::pair(row.image, row.number), std::move(row));
  return hashes;
}

Result<std::string> OriginalsDiffer(Store& store, const std::string& model,
                                    const std::string& first, const std::string& other) {
  const Hashes ours = TRY(HashesOf(store, model, first));
  std::map<std::string, bool> images;
  std::pair<int, std::string> earliest = {-1, ""};
  for (const auto& [at, theirs] : TRY(HashesOf(store, model, other))) {
    // A device without steps has one row, the outputs: the last of a device with steps.
    const StoredStepHash* same = nullptr;
    if (const auto found = ours.find(at); found != ours.end() && found->second.step == theirs.step)
      same = &found->second;
    for (auto row = ours.lower_bound({at.first, 0});
         same == nullptr && row != ours.end() && row->first.first == at.first; ++row)
      if (row->second.step == theirs.step) same = &row->second;
    if (same == nullptr) continue;
    images[at.first] |= same->hash != theirs.hash;
    if (same->hash != theirs.hash && (earliest.first < 0 || same->number < earliest.first))
      earliest = {same->number, theirs.step};
  }
  if (earliest.first < 0) return std::string();
  int differing = 0;
  for (const auto& [image, differs] : images) differing += differs;
  return fmt::format("the originals of {} differ on {} of {} images, first in {}", model, differing,
                     images.size(), TRY(StepText(store, model, earliest.second)));
}

// What is stored of a run and no clock made: all that two runs of the same bits share.
auto Measured(const StoredFate& fate) {
  int64_t difference = 0;  // bits: NaN equals itself
  std::memcpy(&difference, &fate.max_abs_diff, sizeof difference);
  return std::tuple(fate.ending, fate.top_json, fate.infected, fate.dirty_steps, fate.first_step,
                    fate.nonfinite, difference);
}

Result<std::string> MutantsDiffer(Store& store, const std::string& model, const std::string& first,
                                  const std::string& other) {
  std::map<std::pair<std::string, std::string>, StoredFate> ours;
  for (StoredFate& fate : TRY(store.Fates(model, first)))
    ours.emplace(std::pair(fate.mutant, fate.image), std::move(fate));
  std::map<std::string, bool> mutants;
  std::string example;
  for (const StoredFate& theirs : TRY(store.Fates(model, other))) {
    const auto found = ours.find({theirs.mutant, theirs.image});
    if (found == ours.end()) continue;
    const bool differs = Measured(found->second) != Measured(theirs);
    mutants[theirs.mutant] |= differs;
    if (differs && example.empty())
      example = fmt::format("{} on {}, first in {}", theirs.mutant, theirs.image,
                            TRY(StepText(store, model, theirs.first_step)));
  }
  int differing = 0;
  for (const auto& [mutant, differs] : mutants) differing += differs;
  if (differing == 0) return std::string();
  return fmt::format("{} of {} mutants of {} differ: {}", differing, mutants.size(), model,
                     example);
}

}  // namespace

Status StoreHashes(Store& store, const std::string& model, const std::string& device,
                   const std::vector<ImageHashes>& hashes) {
  std::vector<StoredStepHash> rows;
  for (const ImageHashes& image : hashes) {
    int number = 0;
    for (const auto& [step, hash] : image.steps)
      rows.push_back({model, device, image.image, number++, step, hash});
  }
  return store.PutStepHashes(rows);
}

Result<std::vector<std::string>> BitwiseFindings(Store& store, const Config& config,
                                                 const std::string& model) {
  std::vector<std::string> findings;
  std::map<std::string, std::string> first;  // device of each group
  for (const DeviceConfig& device : config.devices) {
    if (device.bitwise.empty()) continue;
    const auto [group, fresh] = first.emplace(device.bitwise, device.name);
    if (fresh) continue;
    for (auto compare : {OriginalsDiffer, MutantsDiffer}) {
      const std::string difference = TRY(compare(store, model, group->second, device.name));
      if (!difference.empty())
        findings.push_back(fmt::format("bitwise group '{}': {} is not {}: {}", device.bitwise,
                                       device.name, group->second, difference));
    }
  }
  return findings;
}

}  // namespace mutatenn
