// Points into mutants: which points belong together (`positions`), and the ids, places and sampling
// order that depend on content alone, never on machine, target or order of enumeration.
#include "mutation/mutant.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/hash.h"
#include "mutation/positions.h"

namespace mutatenn {
namespace {

constexpr const char* kLevelNames[] = {"graph", "code", "lowered", "build"};

// Keys sorted, so that the order in which a configuration names them does not show.
std::string Canonical(const Json& json) { return nlohmann::json(json).dump(); }

// What a point is found by, without layers and index; without target but at level lowered. At level
// graph the layer and the graph stand for the kernel and the block.
Json Identity(const MutationPoint& point, const std::string& subject) {
  if (point.level == Level::kLowered)
    return Json::array({point.target, point.kernel, point.match, point.variant});
  if (point.level != Level::kGraph) {
    Json identity = Json::array({point.kernel, point.block, point.match, point.variant});
    if (!point.step.empty()) identity.push_back(point.step);
    return identity;
  }
  const std::string layer = point.layers.empty() ? "" : point.layers.front();
  return Json::array({subject, layer, point.match, point.variant});
}

std::string JoinLayers(const MutationPoint& point) {
  std::string text;
  for (const std::string& layer : point.layers) text += (text.empty() ? "" : "+") + layer;
  return text;
}

Mutant MakeMutant(const OperatorUse& use, const std::string& category, Level level,
                  std::vector<MutationPoint> points, const std::string& subject,
                  bool per_kernel = false) {
  Mutant mutant;
  mutant.use = use;
  mutant.category = category;
  mutant.level = level;
  Json identity = Json::array();
  for (const MutationPoint& point : points) identity.push_back(Identity(point, subject));
  const std::string parameters = Canonical(use.parameters);
  mutant.id = HashBytes(use.id + "\n" + parameters + "\n" + identity.dump());
  mutant.place = use.id + " " + parameters;
  if (use.positions.empty()) {
    const MutationPoint& point = points.front();
    mutant.place += " " + JoinLayers(point) + " " + point.role + " #" + std::to_string(point.index);
    if (!point.target.empty()) mutant.place += " on " + point.target;
    if (point.variant != 0) mutant.place += " variant " + std::to_string(point.variant);
  } else {
    mutant.place += " positions " + use.positions;
    if (per_kernel) {
      const MutationPoint& point = points.front();
      mutant.place += " " + JoinLayers(point) + " " + point.role;
    }
  }
  if (!use.scope.empty()) mutant.place += " scope " + use.scope;
  mutant.points = std::move(points);
  return mutant;
}

// The first variant of each node: a mutant cannot hold two variants of one node.
std::vector<MutationPoint> FirstVariants(const std::vector<MutationPoint>& points) {
  std::vector<MutationPoint> first;
  for (const MutationPoint& point : points) {
    if (!first.empty()) {
      const MutationPoint& last = first.back();
      if (std::tie(last.target, last.kernel, last.step, last.index) ==
          std::tie(point.target, point.kernel, point.step, point.index))
        continue;
    }
    first.push_back(point);
  }
  return first;
}

// The points that one mutant without positions has: one, or, where the operator's parameter "per"
// says so, all in one buffer (which one block writes) or kernel. Points are in program order.
std::vector<std::vector<MutationPoint>> Together(const OperatorUse& use,
                                                 const std::vector<MutationPoint>& points) {
  const std::string per = use.parameters.value("per", "store");
  auto same = [&](const MutationPoint& a, const MutationPoint& b) {
    if (per == "store") return false;
    return a.target == b.target && a.kernel == b.kernel && (per == "kernel" || a.block == b.block);
  };
  std::vector<std::vector<MutationPoint>> groups;
  for (const MutationPoint& point : points) {
    if (groups.empty() || !same(groups.back().front(), point)) groups.emplace_back();
    groups.back().push_back(point);
  }
  return groups;
}

// The points of each kernel, in program order; at level graph of each Relax operator.
std::vector<std::vector<MutationPoint>> ByKernel(const std::vector<MutationPoint>& points) {
  std::vector<std::vector<MutationPoint>> groups;
  std::map<std::string, size_t> place;
  for (const MutationPoint& point : points) {
    const std::string key =
        point.level == Level::kGraph ? point.role : point.kernel + " " + point.step;
    const auto [at, fresh] = place.emplace(key, groups.size());
    if (fresh) groups.emplace_back();
    groups[at->second].push_back(point);
  }
  return groups;
}

// Consecutive points of one target; one empty list where there are no points.
std::vector<std::vector<MutationPoint>> ByTarget(const std::vector<MutationPoint>& points) {
  std::vector<std::vector<MutationPoint>> groups(1);
  for (const MutationPoint& point : points) {
    if (!groups.back().empty() && groups.back().back().target != point.target)
      groups.emplace_back();
    groups.back().push_back(point);
  }
  return groups;
}

}  // namespace

const char* LevelName(Level level) { return kLevelNames[static_cast<int>(level)]; }

Json MutationPoint::ToJson() const {
  Json json = {{"level", LevelName(level)},
               {"layers", layers},
               {"kernel", kernel},
               {"role", role},
               {"block", block},
               {"match", match},
               {"index", index},
               {"variant", variant}};
  if (!step.empty()) json["step"] = step;
  if (!target.empty()) json["target"] = target;
  return json;
}

Result<MutationPoint> MutationPoint::FromJson(const Json& json) {
  MutationPoint point;
  try {
    const std::string level = json.at("level");
    const auto found = std::find(std::begin(kLevelNames), std::end(kLevelNames), level);
    if (found == std::end(kLevelNames))
      return Fail(Code::kInvalidInput, "mutation point: '", level, "' is no level");
    point.level = static_cast<Level>(found - std::begin(kLevelNames));
    point.layers = json.at("layers").get<std::vector<std::string>>();
    point.kernel = json.at("kernel");
    point.role = json.at("role");
    point.block = json.at("block");
    point.match = json.at("match");
    point.index = json.at("index");
    point.variant = json.at("variant");
    point.step = json.value("step", "");
    point.target = json.value("target", "");
  } catch (const Json::exception& e) {
    return Fail(Code::kInvalidInput, "mutation point: ", e.what());
  }
  if (point.match < 0 || point.index < 0 || point.variant < 0)
    return Fail(Code::kInvalidInput, "mutation point: a number in ", json.dump(), " is negative");
  return point;
}

Result<std::vector<Mutant>> MakeMutants(const OperatorUse& use, const std::string& category,
                                        const std::vector<MutationPoint>& points,
                                        const std::string& subject) {
  std::vector<Mutant> mutants;
  if (use.positions.empty()) {
    for (std::vector<MutationPoint>& together : Together(use, points)) {
      const Level level = together.front().level;
      mutants.push_back(MakeMutant(use, category, level, std::move(together), subject));
    }
    return mutants;
  }
  const auto json = Json::parse(use.positions, nullptr, /*allow_exceptions=*/false);
  Result<Positions> read = PositionsFromJson(json);
  if (!read.ok()) return Fail(Code::kInvalidInput, "positions: ", read.error().message);
  const Positions& positions = *read;
  std::vector<std::vector<MutationPoint>> groups = {FirstVariants(points)};
  if (positions.per_kernel) groups = ByKernel(groups.front());
  size_t most = 0;
  for (const auto& group : groups)
    for (const auto& of_target : ByTarget(group)) most = std::max(most, of_target.size());
  if (!positions.ranges.empty() && most > 0 && LargestNumber(positions) >= most)
    return Fail(Code::kInvalidInput, "positions: ", std::to_string(LargestNumber(positions)),
                " is beyond the ", std::to_string(most), " points of '", use.id, "'",
                positions.per_kernel ? " in any one kernel" : "",
                ", which are numbered from 0 (`mutatenn points` lists them)");
  for (const auto& group : groups) {
    std::vector<MutationPoint> picked;
    // Of each target alike: at level lowered one mutant changes the code of all of them.
    for (const auto& of_target : ByTarget(group))
      for (size_t i : Pick(positions, of_target.size())) picked.push_back(of_target[i]);
    if (picked.empty()) continue;
    const Level level = picked.front().level;
    mutants.push_back(
        MakeMutant(use, category, level, std::move(picked), subject, positions.per_kernel));
  }
  return mutants;
}

uint64_t SampleRank(uint64_t seed, const std::string& id) {
  return Hash64(std::to_string(seed) + "\n" + id);
}

}  // namespace mutatenn
