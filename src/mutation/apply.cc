// A subject and points into the mutated subject. Points are found by counting exactly as
// enumeration counts; whatever does not fit (a point not found, another number of nodes than in the
// origin, a result equal to the input) is our bug and said so: a mutant that is not what its point
// says is worse than none.
#include <map>
#include <set>

#include "mutation/carry_over.h"
#include "mutation/expressions.h"
#include "mutation/graph_edits.h"
#include "mutation/leaf_blocks.h"
#include "mutation/subject.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

Error NotFound(const MutationOperator& op, const MutationPoint& point) {
  return Fail(Code::kInternal, "the mutation point ", DumpJson(point.ToJson()), " of ", op.id,
              " is not found");
}

Error DoesNotApply(const MutationOperator& op) {
  return Fail(Code::kInternal, op.id, " does not apply at its mutation point");
}
Error ChangesNothing(const MutationOperator& op) {
  return Fail(Code::kInternal, op.id, " changes nothing at its mutation point");
}

Result<Node> Replacement(const MutationOperator& op, const Json& parameters, const Node& node,
                         int variant) {
  const std::vector<Node> replacements = op.rewrite(node, parameters);
  if (variant >= static_cast<int>(replacements.size())) return DoesNotApply(op);
  if (StructuralEqual(replacements[variant], node, /*map_free_variables=*/false))
    return ChangesNothing(op);
  return replacements[variant];
}

// A leaf block of the kernel as it was before scheduling.
struct Origin {
  Node block;
  Place init_place, body_place;
  std::vector<Node> accesses;  // by match, where the operator rewrites indices; else empty
  int init_count = 0;
  int body_count = 0;
  std::map<int, int> wanted;   // match -> variant
  std::map<int, int> applied;  // match -> how many times (a schedule may copy a block)
};

using Origins = std::map<std::string, Origin>;

Result<Origins> FindOrigins(const MutationOperator& op, const Json& parameters,
                            const Node& function) {
  Origins origins;
  for (const Node& block : LeafBlocks(function)) {
    Origin origin = {block, PlaceOf(function, block, true), PlaceOf(function, block, false)};
    const VisitMatch note = [&](const Node& node, int) {
      if (op.rewrites_indices) origin.accesses.push_back(node);
      return node;
    };
    MapMatches(op, parameters, origin.init_place, block["init"], 0, note, &origin.init_count);
    MapMatches(op, parameters, origin.body_place, block["body"], 0, note, &origin.body_count);
    if (!origins.emplace(BlockName(block), origin).second)
      return Fail(Code::kInternal, "two blocks of the kernel are named '", BlockName(block), "'");
  }
  return origins;
}

// Which origin a block of the schedule computes, and which part of it its body is.
struct Part {
  Origin* origin = nullptr;  // null: the schedule added this block
  bool body_is_init = false;
};

Part FindPart(Origins* origins, const std::string& name) {
  if (const auto same = origins->find(name); same != origins->end()) return {&same->second, false};
  for (const char* suffix : {"_init", "_update"}) {
    const std::string end = suffix;
    if (!name.ends_with(end)) continue;
    const auto found = origins->find(name.substr(0, name.size() - end.size()));
    if (found != origins->end() && found->second.body_place.reduction)
      return {&found->second, end == "_init"};
  }
  return {};
}

Result<Node> MutateBlock(const MutationOperator& op, const Json& parameters, const Node& scheduled,
                         const Node& block, Part part) {
  Origin& origin = *part.origin;
  Status status = Ok();
  auto mutate = [&](const Node& node, int number, int variant) -> Result<Node> {
    if (!op.rewrites_indices || !IsAccess(node)) return Replacement(op, parameters, node, variant);
    if (op.parameters_only && !IsParameter(scheduled, BufferOf(node)))
      GiveUp("the schedule for this target reads a copy of the parameter");
    const Node& access = origin.accesses[number];
    const Node mutated = TRY(Replacement(op, parameters, access, variant));
    return CarryOver(access, mutated, origin.block, node, block, part.body_is_init);
  };
  auto visit = [&](const Node& node, int number) {
    const auto wanted = origin.wanted.find(number);
    if (wanted == origin.wanted.end()) return node;
    ++origin.applied[number];
    Result<Node> replaced = mutate(node, number, wanted->second);
    if (replaced.ok()) return *replaced;
    status = replaced.error();
    return node;
  };
  int init_count = 0, body_count = 0;
  const int body_first = part.body_is_init ? 0 : origin.init_count;
  const Node init =
      MapMatches(op, parameters, origin.init_place, block["init"], 0, visit, &init_count);
  const Place& body_place = part.body_is_init ? origin.init_place : origin.body_place;
  const Node body =
      MapMatches(op, parameters, body_place, block["body"], body_first, visit, &body_count);
  TRY(std::move(status));
  const int body_expected = part.body_is_init ? origin.init_count : origin.body_count;
  if ((init && init_count != origin.init_count) || body_count != body_expected)
    return Fail(Code::kInternal, "block '", BlockName(block), "' has ",
                std::to_string(init_count + body_count), " nodes that ", op.id,
                " counts, not as many as before scheduling");
  if (init.Same(block["init"]) && body.Same(block["body"])) return block;
  return WithFields(block, {{"init", init}, {"body", body}});
}

Result<Node> MutateKernel(const MutationOperator& op, const Json& parameters,
                          const KernelSubject& subject, const Node& scheduled,
                          const std::vector<MutationPoint>& points) {
  Origins origins = TRY(FindOrigins(op, parameters, subject.function));
  auto meant = [&](const MutationPoint& point) {
    return point.kernel == subject.key && point.step == subject.step;
  };
  for (const MutationPoint& point : points) {
    if (!meant(point)) continue;
    const auto origin = origins.find(point.block);
    if (origin == origins.end() ||
        point.match >= origin->second.init_count + origin->second.body_count ||
        !origin->second.wanted.emplace(point.match, point.variant).second)
      return NotFound(op, point);
  }
  Status status = Ok();
  const Node body = Map(scheduled["body"], [&](const Node& node) {
    const Part part = IsLeafBlock(node) ? FindPart(&origins, BlockName(node)) : Part{};
    if (part.origin == nullptr || part.origin->wanted.empty()) return node;
    Result<Node> block = MutateBlock(op, parameters, scheduled, node, part);
    if (block.ok()) return *block;
    status = block.error();
    return node;
  });
  TRY(std::move(status));
  for (const MutationPoint& point : points)
    if (meant(point) && origins[point.block].applied[point.match] == 0) return NotFound(op, point);
  const Node mutated = WithFields(scheduled, {{"body", body}});
  if (StructuralEqual(mutated, scheduled, /*map_free_variables=*/false))
    return Fail(Code::kInternal, op.id, " changed nothing in kernel ", subject.key);
  return mutated;
}

Result<Node> MutateLowered(const MutationOperator& op, const Json& parameters,
                           const KernelSubject& subject, const Node& lowered,
                           const std::vector<MutationPoint>& points) {
  std::map<int, const MutationPoint*> wanted;
  for (const MutationPoint& point : points) {
    if (point.kernel != subject.key || point.target != subject.target) continue;
    if (!wanted.emplace(point.match, &point).second) return NotFound(op, point);
  }
  Status status = Ok();
  int count = 0;
  auto visit = [&](const Node& node, int number) {
    const auto found = wanted.find(number);
    if (found == wanted.end()) return node;
    Result<Node> replaced = Replacement(op, parameters, node, found->second->variant);
    wanted.erase(found);
    if (replaced.ok()) return *replaced;
    status = replaced.error();
    return node;
  };
  const Node body = MapMatches(op, parameters, kLoweredPlace, lowered["body"], 0, visit, &count);
  TRY(std::move(status));
  if (!wanted.empty()) return NotFound(op, *wanted.begin()->second);
  const Node mutated = WithFields(lowered, {{"body", body}});
  if (StructuralEqual(mutated, lowered, /*map_free_variables=*/false))
    return Fail(Code::kInternal, op.id, " changed nothing in kernel ", subject.key);
  return mutated;
}

Result<Graph> MutateGraph(const MutationOperator& op, const Json& parameters, const Graph& graph,
                          const std::vector<MutationPoint>& points) {
  std::map<int, const MutationPoint*> wanted;
  for (const MutationPoint& point : points)
    if (!wanted.emplace(point.match, &point).second) return NotFound(op, point);
  Graph mutated = graph;
  const GraphView view(graph);
  std::set<size_t> edited;
  int number = 0;
  for (size_t i = 0; i < graph.bindings.size(); ++i) {
    const GraphBinding& binding = graph.bindings[i];
    if (!Considers(binding, parameters) || !op.matches(binding.value, parameters)) continue;
    const auto found = wanted.find(number++);
    if (found == wanted.end()) continue;
    const MutationPoint& point = *found->second;
    if (binding.layer != (point.layers.empty() ? "" : point.layers.front()))
      return NotFound(op, point);
    // Of the graph as it was: points do not see each other.
    const std::vector<GraphEdit> edits = EditsAt(op, parameters, view, i);
    if (point.variant >= static_cast<int>(edits.size())) return DoesNotApply(op);
    const GraphEdit& edit = edits[static_cast<size_t>(point.variant)];
    if (!IsMutation(graph, edit)) return ChangesNothing(op);
    if (!edited.insert(edit.binding).second)
      return Fail(Code::kInternal, "two mutation points of ", op.id, " change the same value");
    mutated.bindings[edit.binding].value = edit.value;
    wanted.erase(found);
  }
  if (!wanted.empty()) return NotFound(op, *wanted.begin()->second);
  if (points.empty()) return Fail(Code::kInternal, op.id, " was applied at no point");
  return mutated;
}

}  // namespace

Result<Graph> ApplyToGraph(const MutationOperator& op, const Json& parameters, const Graph& graph,
                           const std::vector<MutationPoint>& points) {
  auto mutated =
      Guard("applying " + op.id, [&] { return MutateGraph(op, parameters, graph, points); });
  return TRY(std::move(mutated));
}

Result<Node> ApplyToKernel(const MutationOperator& op, const Json& parameters,
                           const KernelSubject& subject, const Node& scheduled,
                           const std::vector<MutationPoint>& points) {
  auto mutated = Guard("applying " + op.id + " to kernel " + subject.key, [&] {
    const auto mutate = op.level() == Level::kLowered ? MutateLowered : MutateKernel;
    return mutate(op, parameters, subject, scheduled, points);
  });
  return TRY(std::move(mutated));
}

Result<BuildSettings> ApplyToSettings(const MutationOperator& op, const Json& parameters,
                                      const BuildSettings& settings, const MutationPoint& point) {
  const std::vector<BuildVariant> variants =
      TRY(Guard("applying " + op.id, [&] { return op.rebuild(settings, parameters); }));
  const auto variant = static_cast<size_t>(point.variant);
  if (variant >= variants.size() || variants[variant].name != point.block)
    return NotFound(op, point);
  return variants[variant].settings;
}

}  // namespace mutatenn
