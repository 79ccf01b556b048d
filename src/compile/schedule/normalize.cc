// A fused function of many small blocks -> [pad] -> anchor -> [one epilogue], or one block where
// nothing reduces. Target-free: which blocks are left decides how mutation points are named.
#include "compile/schedule/anatomy.h"
#include "compile/schedule/schedule.h"

namespace mutatenn {
namespace {

// A pad is known by its name, as TVM's operators give it: its body is an ordinary conditional.
bool IsRealPad(const Schedule& schedule, const Node& handle,
               const std::vector<std::string>& producers) {
  const std::string name = schedule.NameOf(handle);
  if (name.find("pad") == std::string::npos) return false;
  bool feeds_anchor = false;
  for (const std::string& producer : producers) feeds_anchor = feeds_anchor || producer == name;
  if (!feeds_anchor) return false;
  const Node block = schedule.Get(handle);
  const std::vector<Node> reads = block["reads"].Items();
  return reads.size() != 1 ||
         ShapeOf(reads[0]["source"]) != ShapeOf(block["writes"].At(0)["source"]);
}

Node NormalizeOrGiveUp(const Node& function) {
  Schedule schedule(function);
  const Anatomy anatomy = Dissect(schedule);
  if (anatomy.reductions.size() > 1) GiveUp("several reductions");
  std::vector<std::string> producers;  // handles are new with each query: blocks compare by name
  for (const Node& anchor : anatomy.reductions)
    for (const Node& producer : schedule.Producers(anchor))
      producers.push_back(schedule.NameOf(producer));

  const std::string output = schedule.NameOf(anatomy.output);
  for (const Node& block : anatomy.before)
    if (!IsRealPad(schedule, block, producers)) schedule.ComputeInline(block);
  for (const Node& block : anatomy.after)
    if (schedule.NameOf(block) != output) schedule.ComputeInline(block);
  return schedule.Function();
}

}  // namespace

Result<Node> Normalize(const Node& function) {
  Result<Node> normalized = Guard("", [&] { return NormalizeOrGiveUp(function); });
  return normalized.ok() ? *normalized : function;
}

}  // namespace mutatenn
