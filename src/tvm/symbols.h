// Every name of TVM's that the product spells: global functions, type keys, constructors with their
// fields in order. A test looks each up in the installed wheel, so that an upgrade fails there with
// the whole list and not by a null call somewhere.
#pragma once

namespace mutatenn {

namespace global {
inline constexpr const char* kPrimType = "ir.PrimType";
inline constexpr const char* kPointerType = "ir.PointerType";
inline constexpr const char* kReturn = "tirx.Return";
inline constexpr const char* kIntImm = "ir.IntImm";
inline constexpr const char* kFloatImm = "ir.FloatImm";
inline constexpr const char* kStringImm = "ir.StringImm";
inline constexpr const char* kGlobalVar = "ir.GlobalVar";
inline constexpr const char* kIRModule = "ir.IRModule";
inline constexpr const char* kWithAttr = "ir.BaseFuncWithAttr";
inline constexpr const char* kWithoutAttr = "ir.BaseFuncWithoutAttr";
inline constexpr const char* kRunPass = "transform.RunPass";
inline constexpr const char* kPrinterConfig = "node.PrinterConfig";
inline constexpr const char* kScript = "node.TVMScriptPrinterScript";
inline constexpr const char* kToJson = "ffi.ToJSONGraphString";
inline constexpr const char* kFromJson = "ffi.FromJSONGraphString";
inline constexpr const char* kGetTarget = "target.Target";
inline constexpr const char* kWithHost = "target.WithHost";
inline constexpr const char* kTargetExport = "target.TargetExport";
inline constexpr const char* kTargetEnter = "target.TargetEnterScope";
inline constexpr const char* kTargetExit = "target.TargetExitScope";
inline constexpr const char* kValidCpu = "target.llvm_is_valid_cpu";
inline constexpr const char* kCpuHasFeature = "target.llvm_cpu_has_feature";
inline constexpr const char* kHostCpu = "tvm.codegen.llvm.GetHostCPUName";
inline constexpr const char* kHostFeatures = "tvm.codegen.llvm.GetHostCPUFeatures";
inline constexpr const char* kBuildLlvm = "target.build.llvm";
inline constexpr const char* kWriteModule = "ffi.ModuleWriteToFile";
inline constexpr const char* kGetOp = "ir.GetOp";
inline constexpr const char* kOpAttribute = "ir.OpGetAttr";
inline constexpr const char* kVar = "ir.Var";
inline constexpr const char* kCall = "ir.Call";
inline constexpr const char* kTuple = "ir.Tuple";
inline constexpr const char* kTupleGetItem = "ir.TupleGetItem";
inline constexpr const char* kRelaxFunction = "relax.Function";
inline constexpr const char* kSeqExpr = "relax.SeqExpr";
inline constexpr const char* kDataflowBlock = "relax.DataflowBlock";
inline constexpr const char* kDataflowVar = "relax.DataflowVar";
inline constexpr const char* kVarBinding = "relax.VarBinding";
inline constexpr const char* kShapeExpr = "relax.ShapeExpr";
inline constexpr const char* kTensorType = "relax.TensorType";
inline constexpr const char* kPrimFunc = "tirx.PrimFunc";
inline constexpr const char* kBufferVar = "tirx.BufferVar";
inline constexpr const char* kMakeBufferType = "tirx.BufferType";
inline constexpr const char* kBufferLoad = "tirx.BufferLoad";
inline constexpr const char* kBufferStore = "tirx.BufferStore";
inline constexpr const char* kIfThenElse = "tirx.IfThenElse";
inline constexpr const char* kSeqStmt = "tirx.SeqStmt";
inline constexpr const char* kBind = "tirx.Bind";
inline constexpr const char* kAttrStmt = "tirx.AttrStmt";
inline constexpr const char* kEvaluate = "tirx.Evaluate";
inline constexpr const char* kDeclBuffer = "tirx.DeclBuffer";
inline constexpr const char* kBufferData = "tirx.BufferData";  // the pointer behind a buffer
inline constexpr const char* kFor = "tirx.For";
inline constexpr const char* kSBlock = "s_tir.SBlock";
inline constexpr const char* kSBlockRealize = "s_tir.SBlockRealize";
inline constexpr const char* kBufferRegion = "tirx.BufferRegion";
inline constexpr const char* kIterVar = "tirx.IterVar";
inline constexpr const char* kRange = "ir.Range_from_min_extent";
inline constexpr const char* kBlockBuilder = "relax.BlockBuilderCreate";
inline constexpr const char* kBeginDataflow = "relax.BlockBuilderBeginDataflowBlock";
inline constexpr const char* kEndBlock = "relax.BlockBuilderEndBlock";
inline constexpr const char* kTypeMissing = "ir.TypeMissing";
inline constexpr const char* kNormalize = "relax.BlockBuilderNormalize";
inline constexpr const char* kUpdateType = "relax.UpdateType";
inline constexpr const char* kAnnotatePattern = "relax.transform.AnnotateTIROpPattern";
inline constexpr const char* kFuseOps = "relax.transform.FuseOps";
inline constexpr const char* kFuseTir = "relax.transform.FuseTIR";
inline constexpr const char* kTensorConstant = "relax.MakeTensorConst";
inline constexpr const char* kVerifyWellFormed = "relax.analysis.well_formed";
inline constexpr const char* kHasReshapePattern = "relax.analysis.has_reshape_pattern";
inline constexpr const char* kLikely = "prim.likely";  // of a condition; a call
inline constexpr const char* kRelaxAdd = "relax.op.add";
inline constexpr const char* kRelaxSubtract = "relax.op.subtract";
inline constexpr const char* kRelaxMultiply = "relax.op.multiply";
inline constexpr const char* kRelaxDivide = "relax.op.divide";
inline constexpr const char* kRelaxSqrt = "relax.op.sqrt";
inline constexpr const char* kRelaxExpandDims = "relax.op.expand_dims";
}  // namespace global

// Scalar expressions: constructor and type key have the same name; fields a, b (Not: a; Cast:
// value; Select: condition, true_value, false_value).
namespace prim {
inline constexpr const char* kAdd = "prim.Add";
inline constexpr const char* kSub = "prim.Sub";
inline constexpr const char* kMul = "prim.Mul";
inline constexpr const char* kDiv = "prim.Div";
inline constexpr const char* kFloorDiv = "prim.FloorDiv";
inline constexpr const char* kFloorMod = "prim.FloorMod";
inline constexpr const char* kMin = "prim.Min";
inline constexpr const char* kMax = "prim.Max";
inline constexpr const char* kEQ = "prim.EQ";
inline constexpr const char* kNE = "prim.NE";
inline constexpr const char* kLT = "prim.LT";
inline constexpr const char* kLE = "prim.LE";
inline constexpr const char* kGT = "prim.GT";
inline constexpr const char* kGE = "prim.GE";
inline constexpr const char* kAnd = "prim.And";
inline constexpr const char* kOr = "prim.Or";
inline constexpr const char* kNot = "prim.Not";
inline constexpr const char* kCast = "prim.Cast";
inline constexpr const char* kSelect = "prim.Select";
inline constexpr const char* kRamp = "prim.Ramp";
inline constexpr const char* kBroadcast = "prim.Broadcast";
}  // namespace prim

namespace type {
inline constexpr const char* kPrimType = "ir.PrimType";
inline constexpr const char* kIntImm = "ir.IntImm";
inline constexpr const char* kFloatImm = "ir.FloatImm";
inline constexpr const char* kVar = "ir.Var";
inline constexpr const char* kGlobalVar = "ir.GlobalVar";
inline constexpr const char* kCall = "ir.Call";
inline constexpr const char* kOp = "ir.Op";
inline constexpr const char* kTuple = "ir.Tuple";
inline constexpr const char* kTupleType = "ir.TupleType";
inline constexpr const char* kTupleGetItem = "ir.TupleGetItem";
inline constexpr const char* kConstant = "ir.GenericConst";
inline constexpr const char* kTensorLoad = "ir.TensorLoad";
inline constexpr const char* kTensorRegion = "ir.TensorRegion";
inline constexpr const char* kIterVar = "tirx.IterVar";
inline constexpr const char* kPrimFunc = "tirx.PrimFunc";
inline constexpr const char* kBufferStore = "tirx.BufferStore";
inline constexpr const char* kBufferType = "tirx.BufferType";
inline constexpr const char* kFor = "tirx.For";
inline constexpr const char* kSeqStmt = "tirx.SeqStmt";
inline constexpr const char* kIfThenElse = "tirx.IfThenElse";
inline constexpr const char* kEvaluate = "tirx.Evaluate";
inline constexpr const char* kBind = "tirx.Bind";
inline constexpr const char* kAttrStmt = "tirx.AttrStmt";
inline constexpr const char* kAllocBuffer = "tirx.AllocBuffer";
inline constexpr const char* kDeclBuffer = "tirx.DeclBuffer";
inline constexpr const char* kSBlock = "s_tir.SBlock";
inline constexpr const char* kSBlockRealize = "s_tir.SBlockRealize";
inline constexpr const char* kRelaxFunction = "relax.expr.Function";
inline constexpr const char* kSeqExpr = "relax.expr.SeqExpr";
inline constexpr const char* kDataflowBlock = "relax.expr.DataflowBlock";
inline constexpr const char* kDataflowVar = "relax.expr.DataflowVar";
inline constexpr const char* kVarBinding = "relax.expr.VarBinding";
inline constexpr const char* kShapeExpr = "relax.expr.ShapeExpr";
inline constexpr const char* kTensorType = "relax.TensorType";
}  // namespace type

// Node types that WithFields can rebuild: constructor arguments in order, all but the trailing
// span.
struct Constructor {
  const char* type_key;
  const char* function;
  const char* fields[12];
};
inline constexpr Constructor kConstructors[] = {
    {type::kPrimFunc, global::kPrimFunc, {"params", "body", "ret_type", "attrs"}},
    {type::kSBlock,
     global::kSBlock,
     {"iter_vars", "reads", "writes", "name_hint", "body", "init", "alloc_buffers", "match_buffers",
      "annotations"}},
    {type::kSBlockRealize, global::kSBlockRealize, {"iter_values", "predicate", "block"}},
    {type::kFor,
     global::kFor,
     {"loop_var", "min", "extent", "kind", "body", "thread_binding", "annotations", "step"}},
    {type::kBufferStore, global::kBufferStore, {"buffer", "value", "indices"}},
    {type::kSeqStmt, global::kSeqStmt, {"seq"}},
    {type::kIfThenElse, global::kIfThenElse, {"condition", "then_case", "else_case"}},
    {prim::kAdd, prim::kAdd, {"a", "b"}},
    {prim::kSub, prim::kSub, {"a", "b"}},
    {prim::kMul, prim::kMul, {"a", "b"}},
    {prim::kDiv, prim::kDiv, {"a", "b"}},
    {prim::kFloorDiv, prim::kFloorDiv, {"a", "b"}},
    {prim::kFloorMod, prim::kFloorMod, {"a", "b"}},
    {prim::kMin, prim::kMin, {"a", "b"}},
    {prim::kMax, prim::kMax, {"a", "b"}},
    {prim::kEQ, prim::kEQ, {"a", "b"}},
    {prim::kNE, prim::kNE, {"a", "b"}},
    {prim::kLT, prim::kLT, {"a", "b"}},
    {prim::kLE, prim::kLE, {"a", "b"}},
    {prim::kGT, prim::kGT, {"a", "b"}},
    {prim::kGE, prim::kGE, {"a", "b"}},
    {prim::kAnd, prim::kAnd, {"a", "b"}},
    {prim::kOr, prim::kOr, {"a", "b"}},
    {prim::kNot, prim::kNot, {"a"}},
    {prim::kCast, prim::kCast, {"ty", "value"}},
    {prim::kSelect, prim::kSelect, {"condition", "true_value", "false_value"}},
    {prim::kRamp, prim::kRamp, {"base", "stride", "lanes"}},
    {prim::kBroadcast, prim::kBroadcast, {"value", "lanes"}},
    {type::kTensorLoad, global::kBufferLoad, {"source", "indices"}},
    {type::kEvaluate, global::kEvaluate, {"value"}},
    {type::kBind, global::kBind, {"var", "value"}},
    {type::kAttrStmt, global::kAttrStmt, {"node", "attr_key", "value", "body"}},
    {type::kCall, global::kCall, {"ty", "op", "args", "attrs", "ty_args"}},
    {type::kTuple, global::kTuple, {"fields"}},
    {type::kTupleGetItem, global::kTupleGetItem, {"tuple_value", "index"}},
    {type::kVarBinding, global::kVarBinding, {"var", "value"}},
    {type::kDataflowBlock, global::kDataflowBlock, {"bindings"}},
    {type::kSeqExpr, global::kSeqExpr, {"blocks", "body"}},
    {type::kRelaxFunction,
     global::kRelaxFunction,
     {"params", "body", "ret_ty", "is_pure", "attrs"}},
};

// Operators of scalar calls by name, as a call's op names them.
namespace intrinsic {
inline constexpr const char* kIfThenElse = "prim.if_then_else";
inline constexpr const char* kPureExtern = "tirx.call_pure_extern";
inline constexpr const char* kExp = "tirx.exp";
inline constexpr const char* kLog = "tirx.log";
inline constexpr const char* kSqrt = "tirx.sqrt";
inline constexpr const char* kRsqrt = "tirx.rsqrt";
inline constexpr const char* kTanh = "tirx.tanh";
inline constexpr const char* kSigmoid = "tirx.sigmoid";
inline constexpr const char* kErf = "tirx.erf";
inline constexpr const char* kSin = "tirx.sin";
inline constexpr const char* kCos = "tirx.cos";
inline constexpr const char* kFloor = "tirx.floor";
inline constexpr const char* kRound = "tirx.round";
inline constexpr const char* kAbs = "tirx.fabs";
inline constexpr const char* kPower = "tirx.pow";
inline constexpr const char* kStorageSync = "tirx.tvm_storage_sync";
inline constexpr const char* kAtomicAdd = "tirx.atomic_add";
inline constexpr const char* kCudaAtomicAdd = "tirx.cuda.atomic_add";
inline constexpr const char* kAddressOf = "tirx.address_of";
inline constexpr const char* kWarpShuffle = "tirx.tvm_warp_shuffle";
inline constexpr const char* kWarpShuffleUp = "tirx.tvm_warp_shuffle_up";
inline constexpr const char* kWarpShuffleDown = "tirx.tvm_warp_shuffle_down";
}  // namespace intrinsic

// Waits for asynchronous copies: how many groups of them may stay under way. TVM's pipelines say it
// by two attributes, one in the other. Operators of PTX are known only where TVM's Python package
// registered them.
namespace wait {
inline constexpr const char* kScope = "async_wait_queue_scope";                 // an annotation
inline constexpr const char* kCount = "async_wait_inflight_count";              // an annotation
inline constexpr const char* kGroup = "tirx.ptx.cp_async_wait_group";           // an annotation
inline constexpr const char* kBulkGroup = "tirx.ptx.cp_async_bulk_wait_group";  // an annotation
inline constexpr const char* kAll = "tirx.ptx.cp_async_wait_all";  // an annotation; no argument
}  // namespace wait

// Schedule primitives; the schedule is the first argument of each.
namespace primitive {
inline constexpr const char* kConcreteSchedule = "s_tir.schedule.ConcreteSchedule";
inline constexpr const char* kWorkOn = "s_tir.schedule.ScheduleWorkOn";
inline constexpr const char* kGet = "s_tir.schedule.ScheduleGet";
inline constexpr const char* kGetMod = "s_tir.schedule.ScheduleGetMod";
inline constexpr const char* kGetBlock = "s_tir.schedule.ScheduleGetSBlock";
inline constexpr const char* kGetChildBlocks = "s_tir.schedule.ScheduleGetChildBlocks";
inline constexpr const char* kGetProducers = "s_tir.schedule.ScheduleGetProducers";
inline constexpr const char* kGetConsumers = "s_tir.schedule.ScheduleGetConsumers";
inline constexpr const char* kGetOutputBlocks = "s_tir.schedule.ScheduleGetOutputBlocks";
inline constexpr const char* kGetLoops = "s_tir.schedule.ScheduleGetLoops";
inline constexpr const char* kComputeInline = "s_tir.schedule.ScheduleComputeInline";
inline constexpr const char* kCacheRead = "s_tir.schedule.ScheduleCacheRead";
inline constexpr const char* kCacheWrite = "s_tir.schedule.ScheduleCacheWrite";
inline constexpr const char* kTransformLayout = "s_tir.schedule.ScheduleTransformLayout";
inline constexpr const char* kSetScope = "s_tir.schedule.ScheduleSetScope";
inline constexpr const char* kSplit = "s_tir.schedule.ScheduleSplit";
inline constexpr const char* kFuse = "s_tir.schedule.ScheduleFuse";
inline constexpr const char* kReorder = "s_tir.schedule.ScheduleReorder";
inline constexpr const char* kComputeAt = "s_tir.schedule.ScheduleComputeAt";
inline constexpr const char* kVectorize = "s_tir.schedule.ScheduleVectorize";
inline constexpr const char* kUnroll = "s_tir.schedule.ScheduleUnroll";
inline constexpr const char* kDecomposeReduction = "s_tir.schedule.ScheduleDecomposeReduction";
inline constexpr const char* kAnnotate = "s_tir.schedule.ScheduleAnnotate";
inline constexpr const char* kIndexMap = "tirx.IndexMap";
inline constexpr const char* kPartitionHint = "pragma_loop_partition_hint";  // an annotation
}  // namespace primitive

// Relax operators by name.
namespace op {
inline constexpr const char* kAbs = "relax.abs";
inline constexpr const char* kAdd = "relax.add";
inline constexpr const char* kCeil = "relax.ceil";
inline constexpr const char* kClip = "relax.clip";
inline constexpr const char* kConcat = "relax.concat";
inline constexpr const char* kDivide = "relax.divide";
inline constexpr const char* kExp = "relax.exp";
inline constexpr const char* kFloor = "relax.floor";
inline constexpr const char* kLog = "relax.log";
inline constexpr const char* kMatmul = "relax.matmul";
inline constexpr const char* kMax = "relax.max";
inline constexpr const char* kMaximum = "relax.maximum";
inline constexpr const char* kMean = "relax.mean";
inline constexpr const char* kMinimum = "relax.minimum";
inline constexpr const char* kMultiply = "relax.multiply";
inline constexpr const char* kNegative = "relax.negative";
inline constexpr const char* kPower = "relax.power";
inline constexpr const char* kRound = "relax.round";
inline constexpr const char* kSigmoid = "relax.sigmoid";
inline constexpr const char* kSqrt = "relax.sqrt";
inline constexpr const char* kSubtract = "relax.subtract";
inline constexpr const char* kTanh = "relax.tanh";
inline constexpr const char* kAvgPool2d = "relax.nn.avg_pool2d";
inline constexpr const char* kBatchNorm = "relax.nn.batch_norm";
inline constexpr const char* kConv2d = "relax.nn.conv2d";
inline constexpr const char* kGelu = "relax.nn.gelu";
inline constexpr const char* kLeakyRelu = "relax.nn.leakyrelu";
inline constexpr const char* kLogSoftmax = "relax.nn.log_softmax";
inline constexpr const char* kMaxPool2d = "relax.nn.max_pool2d";
inline constexpr const char* kRelu = "relax.nn.relu";
inline constexpr const char* kSilu = "relax.nn.silu";
inline constexpr const char* kSoftmax = "relax.nn.softmax";
}  // namespace op

// Global functions that make calls of Relax operators that have attributes; relax::OperatorCall
// makes the others.
namespace make {
inline constexpr const char* kAsType = "relax.op.astype";
inline constexpr const char* kAvgPool2d = "relax.op.nn.avg_pool2d";
inline constexpr const char* kBatchNorm = "relax.op.nn.batch_norm";
inline constexpr const char* kConcat = "relax.op.concat";
inline constexpr const char* kConv2d = "relax.op.nn.conv2d";
inline constexpr const char* kFlip = "relax.op.flip";
inline constexpr const char* kLeakyRelu = "relax.op.nn.leakyrelu";
inline constexpr const char* kLogSoftmax = "relax.op.nn.log_softmax";
inline constexpr const char* kMatmul = "relax.op.matmul";
inline constexpr const char* kMax = "relax.op.max";
inline constexpr const char* kMaxPool2d = "relax.op.nn.max_pool2d";
inline constexpr const char* kMean = "relax.op.mean";
inline constexpr const char* kPad = "relax.op.nn.pad";
inline constexpr const char* kPermuteDims = "relax.op.permute_dims";
inline constexpr const char* kReshape = "relax.op.reshape";
inline constexpr const char* kSoftmax = "relax.op.nn.softmax";
inline constexpr const char* kStridedSlice = "relax.op.strided_slice";
inline constexpr const char* kTile = "relax.op.tile";
}  // namespace make

}  // namespace mutatenn
