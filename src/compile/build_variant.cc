// The original with all kernels in other legal code: what its rounding is measured with. A variant
// goes the way of a mutant, named by its id; of another program it is an edit, as a mutant is.
#include "compile/pipeline.h"
#include "compile/rounding_variants.h"
#include "compile/schedule/threads.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// Raise when a variant's code may change: part of its cache key.
constexpr const char* kRoundingVersion = "rounding 2";

// Whether the target's back end contracts products and sums by itself, as LLVM does where it can.
Result<bool> Contracts(const Target& target) {
  return Guard("asking LLVM for fused multiply-add", [&] {
    for (const char* feature : {"fma", "fma4", "neon"})
      if (Call(global::kCpuHasFeature, feature, target.node).Int() != 0) return true;
    return false;
  });
}

// What threads share is float32 by its schedule, so float64 and naive have the plain one: a thread
// an element of the output, in the order of the loops.
Result<Scheduled> OnAccelerator(const std::string& variant, const std::string& kind,
                                const Node& function, const Scheduled& scheduled) {
  if (variant == kNaiveVariant) return ScheduleThreads(function, "");
  if (variant == kFloat64Variant) {
    auto wide = Guard(variant, [&] { return InFloat64(function); });
    if (!wide.ok())
      wide = TRY(Guard(variant, [&] { return InFloat64(WithLocalOutputs(function)); }));
    return ScheduleThreads(*wide, "");
  }
  if (variant == kFusedVariant && kind != "opencl")
    return Fail(Code::kTvm, "the compiler fuses multiply-add by itself");
  Scheduled made = scheduled;
  made.function = TRY(Guard(variant, [&] {
    return variant == kFusedVariant ? WithFmaCalls(made.function)
                                    : WithRoundedProducts(made.function);
  }));
  return made;
}

}  // namespace

Result<Scheduled> Pipeline::VariantOf(const std::string& variant, const KernelSource& source,
                                      const PerTarget& target) const {
  const Scheduled& scheduled = target.scheduled.at(source.key);
  if (target.target.accelerator())
    return OnAccelerator(variant, target.target.kind, source.function, scheduled);
  if (variant == kNaiveVariant) return Scheduled{source.function};
  const bool contracts = TRY(Contracts(target.target));
  auto rewritten = [&](Node (*rewrite)(const Node&), const Scheduled& of) -> Result<Scheduled> {
    Scheduled made = of;
    made.function = TRY(Guard(variant, [&] { return rewrite(of.function); }));
    return made;
  };
  if (variant == kContractionVariant)
    return rewritten(contracts ? WithRoundedProducts : WithFusedProducts, scheduled);
  auto wide = rewritten(InFloat64, scheduled);
  if (wide.ok()) return wide;
  return rewritten(InFloat64,
                   {TRY(Guard(variant, [&] { return WithLocalOutputs(source.function); }))});
}

Result<Pipeline::Finish> Pipeline::BeginVariant(int target_index, const Mutant& mutant,
                                                KernelBatch& batch) {
  const PerTarget& target = targets_.at(target_index);
  OtherKernels made;
  BuiltMutant built;
  built.cached = true;
  for (const std::string& key : kernel_order_) {
    const KernelSource& source = sources_.at(key);
    if (source.weight_only) continue;
    // What TVM refuses stays as it is: nothing is measured there.
    auto scheduled = VariantOf(mutant.use.id, source, target);
    if (!scheduled.ok()) {
      if (scheduled.error().code != Code::kTvm) return scheduled.error();
      built.reason += source.role + ": " + scheduled.error().message + "; ";
      continue;
    }
    OtherKernel kernel{source, *scheduled, {}};
    kernel.source.key += "@" + mutant.use.id;
    auto added = batch.Add(kernel.source, kRoundingVersion, target.target,
                           [&]() -> Result<Scheduled> { return kernel.scheduled; });
    if (!added.ok()) {
      if (added.error().code != Code::kTvm) return added.error();
      built.reason += source.role + ": " + added.error().message + "; ";
      continue;
    }
    kernel.added = *added;
    built.cached = built.cached && added->cached;
    made.emplace(key, std::move(kernel));
  }
  return Finish([=, this, &mutant]() -> Result<BuiltMutant> {
    OtherKernels compiled = made;
    std::erase_if(compiled, [](const auto& entry) {
      const BuiltCode& code = *entry.second.added.code;
      return code.error || code.entry.state != "ok";
    });
    return WithOtherKernels(target_index, mutant.id, built, compiled);
  });
}

}  // namespace mutatenn
