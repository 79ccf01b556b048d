// What a stored campaign holds of its mutants, as it is needed to make and run some of them once
// more: for exports and audits. Reads the store alone and never writes it.
#pragma once

#include <memory>
#include <string>

#include "campaign/config.h"
#include "compile/generator.h"
#include "store/store.h"

namespace mutatenn {

struct StoredCampaign {
  std::unique_ptr<Store> store;
  Config config;
  std::string folder;

  Result<const ModelConfig*> Model(const std::string& name) const;
  // "" = the first one.
  Result<const DeviceConfig*> Device(const std::string& name) const;
  // A file that the configuration names beside itself: the store has the model's whole path.
  Result<std::string> WhereItWas(const std::string& file) const;
  Result<StoredMutant> FindMutant(const std::string& id) const;
  // As it was made of the configuration.
  Result<Mutant> Rebuild(const StoredMutant& stored) const;
  // For one model and one target, into a folder of its own, without a cache. Refuses a model file
  // that is not the one of the campaign.
  Result<GeneratorOptions> Generator(const ModelConfig& model, const Json& target,
                                     const std::string& root) const;
};
Result<StoredCampaign> OpenStoredCampaign(const std::string& folder);

}  // namespace mutatenn
