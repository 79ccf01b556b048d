// Requests into cache entries: hits at once, misses lowered, then emitted module by module. A
// module that LLVM refuses is taken apart, so that one kernel spoils no other.
#include "compile/kernel_batch.h"

#include <algorithm>

#include "base/clock.h"
#include "base/hash.h"
#include "compile/codegen.h"
#include "compile/device_code.h"
#include "compile/fixed_accesses.h"
#include "compile/machine_code.h"

namespace mutatenn {

Kernel BuiltCode::KernelOf(const KernelSource& source) const {
  return {source.key, source.role,  "kernels/" + entry.library,
          entry.code, entry.symbol, entry.fixed_accesses};
}

Result<CachedLibrary> KernelBatch::LowerOne(const Target& target,
                                            const Result<Scheduled>& scheduled,
                                            const OriginalKernel* original, Node* lowered) const {
  const Scheduled made = TRY(scheduled);
  if (!*lowered) *lowered = TRY(Lower(made.function, target));
  CachedLibrary entry;
  entry.lowered = TRY(Guard("hashing", [&] { return std::to_string(StructuralHash(*lowered)); }));
  entry.packing = made.packing;
  // The hash proposes, comparison decides: the original is lowered again only where they agree.
  if (original != nullptr && entry.lowered == original->lowered) {
    const Node other = TRY(Lower(original->scheduled, target));
    if (TRY(Guard("comparing", [&] { return StructuralEqual(*lowered, other); })))
      return CachedLibrary{"equivalent", "equal after lowering"};
  }
  if (original != nullptr)
    entry.fixed_accesses = TRY(Guard("accesses", [&] { return HasFixedAccesses(*lowered); }));
  return entry;
}

Result<KernelBatch::Added> KernelBatch::Add(const KernelSource& source, const std::string& mutation,
                                            const Target& target,
                                            const std::function<Result<Scheduled>()>& scheduled,
                                            const OriginalKernel* original, const Node& lowered) {
  const std::string key =
      HashBytes(source.key + "|" + mutation + "|" + target.canonical + "|" + toolchain_);
  if (const auto known = known_.find(key); known != known_.end()) return Added{known->second, true};
  auto code = std::make_shared<BuiltCode>();
  if (auto hit = cache_.Get(key, folder_)) {
    code->entry = *hit;
    known_[key] = code;
    return Added{code, true};
  }
  const Target runs_on = source.weight_only ? target.ForWeights() : target;
  Open open{key, code, lowered, runs_on.node, original != nullptr, ""};
  auto entry = LowerOne(runs_on, scheduled(), original, &open.lowered);
  if (!entry.ok()) {
    // What TVM refuses to compile is the mutant's fate; what the disk refuses is not.
    if (entry.error().code != Code::kTvm || original == nullptr) return entry.error();
    entry = CachedLibrary{"stillborn", entry.error().message};
  }
  code->entry = std::move(*entry);
  known_[key] = code;
  if (code->entry.state != "ok") {
    cache_.Put(key, code->entry, folder_);
  } else {
    if (original != nullptr) open.original_code = original->code;
    open_.push_back(std::move(open));
  }
  return Added{code, false};
}

Status KernelBatch::Emit() {
  std::vector<Open> open = std::move(open_);
  open_.clear();
  while (!open.empty()) {
    // A module has one target.
    const Node target = open.front().target;
    const auto others = std::stable_partition(
        open.begin(), open.end(), [&](const Open& kernel) { return kernel.target.Same(target); });
    std::vector<Open*> together;
    for (auto at = open.begin(); at != others; ++at) together.push_back(&*at);
    // A device's compiler gains nothing by many kernels at a time, and refuses them all for one.
    if (KindOf(target) == "llvm") {
      TRY(EmitTogether(together));
    } else {
      for (Open* kernel : together) TRY(EmitForDevice(*kernel));
    }
    open.erase(open.begin(), others);
  }
  return Ok();
}

// What TVM refuses to generate code for: the mutant's fate, or the original's error.
Status KernelBatch::Refused(const Open& kernel, const Error& error) {
  if (error.code != Code::kTvm) return error;
  if (!kernel.mutated) {
    kernel.code->error = error;
  } else {
    kernel.code->entry = {"stillborn", error.message};
    cache_.Put(kernel.key, kernel.code->entry, folder_);
  }
  return Ok();
}

Status KernelBatch::EmitForDevice(const Open& kernel) {
  const auto made = EmitDeviceCode(kernel.lowered, kKernelSymbol, kernel.target);
  if (!made.ok()) return Refused(kernel, made.error());
  CachedLibrary& entry = kernel.code->entry;
  entry.symbol = kKernelSymbol;
  entry.library = HashBytes(kernel.key) + ".so";
  const std::string host = TRY(CodeOf(made->objects.front(), kKernelSymbol));
  entry.code = host.empty() ? "" : HashBytes(host + made->source);
  if (kernel.mutated && !entry.code.empty() && entry.code == kernel.original_code) {
    entry = {"equivalent", "same machine code"};
  } else {
    AddSeconds timer(link_s_);
    TRY(LinkLibrary(made->objects, folder_ + "/" + entry.library));
  }
  cache_.Put(kernel.key, entry, folder_);
  return Ok();
}

Status KernelBatch::EmitTogether(const std::vector<Open*>& kernels) {
  std::vector<Node> lowered;
  std::string keys;
  for (const Open* kernel : kernels) {
    lowered.push_back(kernel->lowered);
    keys += kernel->key;
  }
  auto object = EmitObject(lowered, kernels.front()->target);
  if (!object.ok()) {
    if (kernels.size() == 1) return Refused(*kernels.front(), object.error());
    if (object.error().code != Code::kTvm) return object.error();
    for (Open* kernel : kernels) TRY(EmitTogether({kernel}));
    return Ok();
  }
  const std::string library = HashBytes(keys) + ".so";
  bool linked = false;
  for (size_t i = 0; i < kernels.size(); ++i) {
    const Open& kernel = *kernels[i];
    CachedLibrary& entry = kernel.code->entry;
    entry.symbol = SymbolOf(i, kernels.size());
    entry.library = library;
    entry.code = TRY(CodeOf(*object, entry.symbol));
    if (kernel.mutated && !entry.code.empty() && entry.code == kernel.original_code) {
      entry = {"equivalent", "same machine code"};
    } else if (!linked) {
      AddSeconds timer(link_s_);
      TRY(LinkLibrary({*object}, folder_ + "/" + library));
      linked = true;
    }
    cache_.Put(kernel.key, entry, folder_);
  }
  return Ok();
}

}  // namespace mutatenn
