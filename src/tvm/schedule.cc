// Spells the schedule primitives of TVM for Schedule. The function lives in a module of its own,
// for the lookups of a schedule need a name.
#include "tvm/schedule.h"

#include "tvm/gpu_passes.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

constexpr const char* kName = "main";  // the one that traces say
constexpr int kReadBuffer = 0;
constexpr int kWriteBuffer = 1;

}  // namespace

Schedule::Schedule(const Node& function) {
  constexpr int kSeed = 0, kNoSelfCheck = 0, kShortErrors = 2;
  schedule_ = Call(primitive::kConcreteSchedule, MakeModule({{kName, function}}), kSeed,
                   kNoSelfCheck, kShortErrors, true);
  Call(primitive::kWorkOn, schedule_, kName);
}

Node Schedule::Function() const { return FunctionOf(Call(primitive::kGetMod, schedule_), kName); }

Node Schedule::Get(const Node& handle) const { return Call(primitive::kGet, schedule_, handle); }
int64_t Schedule::Extent(const Node& loop) const { return Get(loop)["extent"].Int(); }
std::string Schedule::NameOf(const Node& block) const { return Get(block)["name_hint"].Text(); }

Node Schedule::Root() const { return Call(primitive::kGetBlock, schedule_, "root", kName); }
std::vector<Node> Schedule::Blocks() const {
  return Call(primitive::kGetChildBlocks, schedule_, Root()).Items();
}
std::vector<Node> Schedule::OutputBlocks() const {
  return Call(primitive::kGetOutputBlocks, schedule_, Root()).Items();
}
std::vector<Node> Schedule::Producers(const Node& block) const {
  return Call(primitive::kGetProducers, schedule_, block).Items();
}
std::vector<Node> Schedule::Consumers(const Node& block) const {
  return Call(primitive::kGetConsumers, schedule_, block).Items();
}
std::vector<Node> Schedule::Loops(const Node& block) const {
  return Call(primitive::kGetLoops, schedule_, block).Items();
}

void Schedule::ComputeInline(const Node& block) {
  Call(primitive::kComputeInline, schedule_, block);
}
Node Schedule::CacheWrite(const Node& block, const std::string& scope) {
  return Call(primitive::kCacheWrite, schedule_, block, 0, scope, Node(std::vector<Node>{}));
}
Node Schedule::CacheRead(const Node& block, int read_index) {
  return Call(primitive::kCacheRead, schedule_, block, read_index, "global",
              Node(std::vector<Node>{}));
}
void Schedule::SetScope(const Node& block, const std::string& scope) {
  Call(primitive::kSetScope, schedule_, block, 0, scope);
}

void Schedule::TransformRead(const Node& block, int read_index, const IndexFunction& map) {
  Node region = Get(block)["reads"].At(static_cast<size_t>(read_index));
  TransformLayout(block, read_index, kReadBuffer, region["source"], map);
}
void Schedule::TransformWrite(const Node& block, const IndexFunction& map) {
  TransformLayout(block, 0, kWriteBuffer, Get(block)["writes"].At(0)["source"], map);
}
void Schedule::TransformLayout(const Node& block, int index, int read_or_write, const Node& buffer,
                               const IndexFunction& map) {
  // TVM wants the variables of the map in the integer type of the block's own.
  Node type = Get(block)["iter_vars"].At(0)["var"]["ty"];
  std::vector<Node> variables;
  for (size_t axis = 0; axis < buffer["ty"]["shape"].size(); ++axis)
    variables.push_back(Make(global::kVar, "axis" + std::to_string(axis), type));
  Node index_map = Call(primitive::kIndexMap, Node(variables), Node(map(variables)), Node());
  Call(primitive::kTransformLayout, schedule_, block, index, read_or_write, index_map, Node(),
       false);
}

std::vector<Node> Schedule::Split(const Node& loop, const std::vector<int64_t>& inner_factors) {
  std::vector<Node> factors = {Node()};
  for (int64_t factor : inner_factors) factors.emplace_back(factor);
  return Call(primitive::kSplit, schedule_, loop, Node(factors), true, false).Items();
}
Node Schedule::Fuse(const std::vector<Node>& loops) {
  return Call(primitive::kFuse, schedule_, Node(loops), true);
}
void Schedule::Reorder(const std::vector<Node>& loops) {
  Call(primitive::kReorder, schedule_, Node(loops));
}
void Schedule::ComputeAt(const Node& block, const Node& loop) {
  constexpr int kLastPlace = -1;
  Call(primitive::kComputeAt, schedule_, block, loop, true, kLastPlace);
}
void Schedule::Vectorize(const Node& loop) { Call(primitive::kVectorize, schedule_, loop); }
void Schedule::Unroll(const Node& loop) { Call(primitive::kUnroll, schedule_, loop); }
Node Schedule::DecomposeReduction(const Node& block, const Node& loop) {
  return Call(primitive::kDecomposeReduction, schedule_, block, loop);
}
void Schedule::Bind(const Node& loop, const std::string& thread) {
  Call(gpu::kBind, schedule_, loop, thread);
}
Node Schedule::AddUnitLoop(const Node& block) { return Call(gpu::kAddUnitLoop, schedule_, block); }
bool Schedule::IsSpatial(const Node& loop) const {
  return Call(gpu::kIterationType, schedule_, loop).Text() == "S";
}
void Schedule::Apply(const Node& trace) { Call(gpu::kApplyTrace, trace, schedule_); }
void Schedule::HintPartition(const Node& loop) {
  Call(primitive::kAnnotate, schedule_, loop, primitive::kPartitionHint, IntImm("int32", 1));
}

}  // namespace mutatenn
