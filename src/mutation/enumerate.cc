// Subjects into mutation points: every node of the operator's kind is counted, and one point made
// for each replacement that `rewrite` gives for it.
#include <map>

#include "mutation/expressions.h"
#include "mutation/graph_edits.h"
#include "mutation/leaf_blocks.h"
#include "mutation/subject.h"
#include "tvm/relax.h"

namespace mutatenn {
namespace {

// Replacements that are equal to the node are no mutation; variants keep their number in the full
// list.
std::vector<int> Variants(const MutationOperator& op, const Json& parameters, const Node& node) {
  std::vector<int> variants;
  const std::vector<Node> replacements = op.rewrite(node, parameters);
  for (size_t i = 0; i < replacements.size(); ++i)
    if (!StructuralEqual(replacements[i], node, /*map_free_variables=*/false))
      variants.push_back(static_cast<int>(i));
  return variants;
}

MutationPoint InKernel(const MutationOperator& op, const KernelSubject& kernel) {
  MutationPoint point;
  point.level = op.level();
  point.layers = kernel.layers;
  point.kernel = kernel.key;
  point.step = kernel.step;
  point.role = kernel.role;
  point.target = kernel.target;
  return point;
}

// The variants that change the settings of a target.
std::vector<MutationPoint> PointsOfSettings(const MutationOperator& op, const Json& parameters,
                                            const KernelSubject& kernel, int index) {
  MutationPoint point = InKernel(op, kernel);
  point.index = index;
  std::map<int, std::string> changed;  // variant -> name
  for (const BuildSettings& settings : kernel.settings) {
    const std::string own = TextOf(settings);
    const std::vector<BuildVariant> variants = op.rebuild(settings, parameters);
    for (size_t i = 0; i < variants.size(); ++i)
      if (TextOf(variants[i].settings) != own)
        changed.emplace(static_cast<int>(i), variants[i].name);
  }
  std::vector<MutationPoint> points;
  for (const auto& [variant, name] : changed) {
    point.variant = variant;
    point.block = name;
    points.push_back(point);
  }
  return points;
}

std::vector<MutationPoint> PointsOfKernel(const MutationOperator& op, const Json& parameters,
                                          const KernelSubject& kernel, int* index) {
  if (op.level() == Level::kBuild) return PointsOfSettings(op, parameters, kernel, (*index)++);
  std::vector<MutationPoint> points;
  MutationPoint point = InKernel(op, kernel);
  auto visit = [&](const Node& node, int number) {
    point.match = number;
    point.index = *index + number;
    if (op.parameters_only && op.level() == Level::kCode && IsAccess(node) &&
        !IsParameter(kernel.function, BufferOf(node)))
      return node;
    for (int variant : Variants(op, parameters, node)) {
      point.variant = variant;
      points.push_back(point);
    }
    return node;
  };
  int count = 0;
  if (op.level() == Level::kLowered) {
    MapMatches(op, parameters, kLoweredPlace, kernel.function["body"], 0, visit, &count);
    *index += count;
    return points;
  }
  for (const Node& block : LeafBlocks(kernel.function)) {
    point.block = BlockName(block);
    count = 0;
    MapMatches(op, parameters, PlaceOf(kernel.function, block, true), block["init"], 0, visit,
               &count);
    MapMatches(op, parameters, PlaceOf(kernel.function, block, false), block["body"], count, visit,
               &count);
    *index += count;
  }
  return points;
}

}  // namespace

Result<std::vector<MutationPoint>> EnumerateGraph(const MutationOperator& op,
                                                  const Json& parameters, const Graph& graph) {
  return Guard("enumerating " + op.id, [&] {
    std::vector<MutationPoint> points;
    const GraphView view(graph);
    int number = 0;
    for (size_t i = 0; i < graph.bindings.size(); ++i) {
      const GraphBinding& binding = graph.bindings[i];
      if (!Considers(binding, parameters) || !op.matches(binding.value, parameters)) continue;
      MutationPoint point;
      point.level = op.level();
      if (!binding.layer.empty()) point.layers = {binding.layer};
      point.role = relax::OperatorOf(binding.value);
      point.match = point.index = number++;
      const std::vector<GraphEdit> edits = EditsAt(op, parameters, view, i);
      for (size_t variant = 0; variant < edits.size(); ++variant) {
        if (!IsMutation(graph, edits[variant])) continue;
        point.variant = static_cast<int>(variant);
        points.push_back(point);
      }
    }
    return points;
  });
}

Result<std::vector<MutationPoint>> EnumerateKernels(const MutationOperator& op,
                                                    const Json& parameters,
                                                    const std::vector<KernelSubject>& kernels) {
  std::vector<MutationPoint> points;
  int index = 0;
  for (const KernelSubject& kernel : kernels) {
    const auto found = TRY(Guard("enumerating " + op.id + " in kernel " + kernel.key,
                                 [&] { return PointsOfKernel(op, parameters, kernel, &index); }));
    points.insert(points.end(), found.begin(), found.end());
  }
  return points;
}

}  // namespace mutatenn
