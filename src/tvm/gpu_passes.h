// Targets with threads of their own (OpenCL, CUDA): TVM's names and pass lists for them, apart from
// symbols.h and passes.h, which serve every target.
#pragma once

#include "tvm/passes.h"

namespace mutatenn {

namespace gpu {
// Schedule primitives: of a trace, as the front end recorded it; of threads.
inline constexpr const char* kApplyTrace = "s_tir.schedule.TraceApplyJSONToSchedule";
inline constexpr const char* kBind = "s_tir.schedule.ScheduleBind";
inline constexpr const char* kAddUnitLoop = "s_tir.schedule.ScheduleAddUnitLoop";
inline constexpr const char* kIterationType = "s_tir.schedule.GetLoopIterType";
// Code generation.
inline constexpr const char* kBuildOpenCl = "target.build.opencl";
inline constexpr const char* kBuildCuda = "target.build.cuda";
inline constexpr const char* kImportModule = "ffi.ModuleImportModule";
inline constexpr const char* kInspectSource = "ffi.ModuleInspectSource";
inline constexpr const char* kPackImports = "runtime.ModulePackImportsToLLVM";
inline constexpr const char* kTupleType = "ir.TupleType";
inline constexpr const char* kFuncCall = "tirx.cuda.func_call";  // an operator
// Global functions that code generation calls, which we provide.
inline constexpr const char* kCudaHeader = "tirx.intrinsics.cuda.header_generator";
inline constexpr const char* kCudaIntrinsic = "tirx.intrinsics.cuda.get_codegen";
// The first of the list below, that refuse a schedule whose threads reduce what is no reduction.
inline constexpr const char* kThreadReductionPasses[] = {
    "s_tir.transform.CanonicalizeLoop", "s_tir.transform.LowerCrossThreadReduction"};
}  // namespace gpu

// As TVM's s_tir pipeline has them, annotated schedules' passes included, up to where barriers and
// warp shuffles stand in the code: those are mutated too.
inline const LoweringPass kGpuLoweringPasses[] = {
    {"s_tir.transform.CanonicalizeLoop"},
    {"s_tir.transform.LowerCrossThreadReduction"},
    {"s_tir.transform.LowerInitBlock"},
    {"s_tir.transform.PlanAndUpdateBufferAllocationLocation"},
    {"s_tir.transform.ConvertBlocksToOpaque"},
    {"s_tir.transform.LiftThreadBinding"},
    {"s_tir.transform.ManifestSharedMemoryLocalStage"},
    {"s_tir.transform.CompactBufferAllocation", true, Node(true)},
    {"s_tir.transform.LowerAutoCopy"},
    {"s_tir.transform.UnifyThreadBinding"},
    {"s_tir.transform.LowerMatchBuffer"},
    {"s_tir.transform.StmtSimplify"},
    {"s_tir.transform.InjectPermutedLayout"},
    {"s_tir.transform.AnnotateIrregularLoop"},
    {"s_tir.transform.InjectSoftwarePipeline"},
    {"s_tir.transform.TransformMmaBufferLayout"},
    {"s_tir.transform.LowerOpaqueBlock"},
    {"tirx.transform.FlattenBuffer"},
    {"tirx.transform.BF16ComputeLegalize"},
    {"tirx.transform.NarrowDataType", true, Node(32)},
    {"s_tir.transform.LoopPartition"},
    {"tirx.transform.VectorizeLoop", true, Node(true)},
    {"s_tir.transform.InjectVirtualThread"},
    {"s_tir.transform.InjectDoubleBuffer"},
    {"tirx.transform.StorageRewrite"},
    {"s_tir.transform.HoistIfThenElse"},
    {"tirx.transform.UnrollLoop"},
    {"s_tir.transform.RenormalizeSplitPattern"},
    {"tirx.transform.StmtSimplify"},
    {"tirx.transform.RemoveNoOp"},
    {"s_tir.transform.RewriteUnsafeSelect"},
    {"tirx.transform.CommonSubexprElim"},
    {"tirx.transform.VerifyMemory"},
    {"tirx.transform.AnnotateEntryFunc"},
    {"s_tir.transform.ThreadSync", true, Node("shared")},
    {"s_tir.transform.ThreadSync", true, Node("shared.dyn")},
    {"s_tir.transform.ThreadSync", true, Node("warp")},
    {"s_tir.transform.InferFragment"},
    {"s_tir.transform.LowerThreadAllreduce"},
};

// Host apart from device. The host's part takes its arguments as the program states them: no
// checks.
inline constexpr const char* kGpuPackingPasses[] = {
    "s_tir.transform.MergeSharedMemoryAllocations",
    "tirx.transform.SplitHostDevice",
    "tirx.transform.MakePackedAPI",
    "tirx.transform.SkipAssert",
    "tirx.transform.FP8StorageLegalize",
    "tirx.transform.BF16StorageLegalize",
};
inline constexpr const char* kGpuHostPasses[] = {
    "tirx.transform.LowerTVMBuiltin",
    "tirx.transform.LowerIntrin",
};
inline constexpr const char* kGpuDevicePasses[] = {
    "tirx.transform.LowerWarpMemory",
    "tirx.transform.StmtSimplify",
    "tirx.transform.LowerIntrin",
};

}  // namespace mutatenn
