// Which rule takes a function: by the number of its reductions and the shape of its contraction; a
// rule that gives up is followed by a weaker one on a fresh schedule.
#include "compile/schedule/schedule.h"

#include <functional>

#include "compile/schedule/rules.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

struct Rule {
  const char* name;
  std::function<std::optional<Packing>(Schedule&, const Anatomy&)> apply;
  bool widen = false;  // the rows of what it made
};

std::vector<Rule> RulesFor(const Node& function, const std::vector<int>& constant_parameters,
                           const VectorUnit& unit, std::string* why) {
  const Schedule schedule(function);
  const Anatomy anatomy = Dissect(schedule);
  if (anatomy.reductions.empty()) {
    if (anatomy.after.size() != 1) GiveUp("several blocks and no reduction");
    return {{"elementwise", [&unit](Schedule& s, const Anatomy& a) {
               ScheduleElementwise(s, a.output, unit);
               return std::nullopt;
             }}};
  }
  if (anatomy.reductions.size() > 1) GiveUp("several reductions");
  if (anatomy.after.size() > 1) GiveUp("several blocks after the reduction");
  const Rule reduce = {.name = "reduce",
                       .apply =
                           [&unit](Schedule& s, const Anatomy& a) {
                             ScheduleReduce(s, a, unit);
                             return std::nullopt;
                           },
                       .widen = true};
  Result<Contraction> found = Guard("contract", [&] {
    return ContractionOf(schedule, anatomy.reductions[0], function, constant_parameters);
  });
  if (!found.ok()) {
    *why = found.error().message;
    return {reduce};
  }
  const Contraction contraction = *found;
  const Rule contract = {"contract", [contraction, &unit](Schedule& s, const Anatomy& a) {
                           return ScheduleContract(s, a, contraction, unit);
                         }};
  const Rule rows = {.name = "contract_x",
                     .apply =
                         [contraction, &unit](Schedule& s, const Anatomy& a) {
                           return ScheduleContractRows(s, a, contraction, unit);
                         },
                     .widen = true};
  if (PreferRows(contraction, unit)) return {rows, contract, reduce};
  return {contract, rows, reduce};
}

}  // namespace

Result<VectorUnit> VectorUnitOf(const Node& target) {
  return Guard("asking LLVM for the vector unit", [&] {
    auto has = [&](const char* feature) {
      return Call(global::kCpuHasFeature, feature, target).Int() != 0;
    };
    if (has("avx512f")) return VectorUnit{.lanes = 16, .registers = 32};
    if (has("avx2")) return VectorUnit{.lanes = 8, .registers = 16};
    if (has("neon")) return VectorUnit{.lanes = 4, .registers = 32};
    return VectorUnit{.lanes = 4, .registers = 16};
  });
}

Result<Scheduled> Tile(const Node& function, const std::vector<int>& constant_parameters,
                       const VectorUnit& unit) {
  Scheduled scheduled = {.function = function, .rule = "none", .why = ""};
  auto note = [&](const std::string& reason) {
    if (!scheduled.why.empty()) scheduled.why += "; ";
    scheduled.why += reason.substr(0, reason.find('\n'));
  };
  std::string no_contraction;
  Result<std::vector<Rule>> rules =
      Guard("", [&] { return RulesFor(function, constant_parameters, unit, &no_contraction); });
  if (!rules.ok()) {
    note(rules.error().message);
    return scheduled;
  }
  if (!no_contraction.empty()) note(no_contraction);
  for (const Rule& rule : *rules) {
    Result<Node> made = Guard(rule.name, [&] {
      Schedule schedule(function);
      scheduled.packing = rule.apply(schedule, Dissect(schedule));
      Node result = schedule.Function();
      result = SplitPads(result);
      if (rule.widen) result = WidenRows(OverlapPieces(result));
      // A packed parameter leaves the function's own type behind: it is made anew.
      return scheduled.packing ? WithFields(result, {{"params", result["params"]}}) : result;
    });
    if (made.ok()) {
      scheduled.function = *made;
      scheduled.rule = rule.name;
      return scheduled;
    }
    scheduled.packing.reset();
    note(made.error().message);
  }
  return scheduled;
}

}  // namespace mutatenn
