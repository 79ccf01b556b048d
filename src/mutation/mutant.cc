// Points into mutants: which points belong together (`positions`), and the ids, places and sampling
// order that depend on content alone, never on machine, target or order of enumeration.
#include "mutation/mutant.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <tuple>

#include "base/hash.h"

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
  if (point.level != Level::kGraph)
    return Json::array({point.kernel, point.block, point.match, point.variant});
  const std::string layer = point.layers.empty() ? "" : point.layers.front();
  return Json::array({subject, layer, point.match, point.variant});
}

std::string JoinLayers(const MutationPoint& point) {
  std::string text;
  for (const std::string& layer : point.layers) text += (text.empty() ? "" : "+") + layer;
  return text;
}

Mutant MakeMutant(const OperatorUse& use, const std::string& category, Level level,
                  std::vector<MutationPoint> points, const std::string& subject) {
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
  }
  mutant.points = std::move(points);
  return mutant;
}

// The first variant of each node: a mutant cannot hold two variants of one node.
std::vector<MutationPoint> FirstVariants(const std::vector<MutationPoint>& points) {
  std::vector<MutationPoint> first;
  for (const MutationPoint& point : points) {
    if (!first.empty()) {
      const MutationPoint& last = first.back();
      if (std::tie(last.target, last.kernel, last.block, last.match, last.index) ==
          std::tie(point.target, point.kernel, point.block, point.match, point.index))
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

Error BadPositions(const std::string& id, const std::string& text) {
  return Fail(
      Code::kInvalidInput, "positions: ", text, " for '", id,
      "'; it must be \"all\", \"start\", \"end\", a percentage above 0 such as \"20%\", or a "
      "list of numbers of points such as [3, 7]");
}

// Which of `count` points `positions` picks: ascending, each once.
Result<std::vector<size_t>> Pick(const OperatorUse& use, size_t count) {
  const auto parsed = nlohmann::json::parse(use.positions, nullptr, /*allow_exceptions=*/false);
  std::vector<size_t> picked;
  if (parsed.is_array()) {
    for (const auto& item : parsed) {
      if (!item.is_number_integer() || item < 0)
        return BadPositions(use.id, item.dump() + " is no number of a point");
      if (item.get<uint64_t>() >= count)
        return Fail(Code::kInvalidInput, "positions: ", item.dump(), " is beyond the ",
                    std::to_string(count), " points of '", use.id,
                    "', which are numbered from 0 (`mutatenn points` lists them)");
      picked.push_back(item.get<uint64_t>());
    }
    if (picked.empty()) return BadPositions(use.id, "the list is empty");
    std::sort(picked.begin(), picked.end());
    picked.erase(std::unique(picked.begin(), picked.end()), picked.end());
    return picked;
  }
  if (!parsed.is_string()) return BadPositions(use.id, use.positions + " is not understood");
  const std::string text = parsed.get<std::string>();
  double share = 0;
  if (text == "all" || text == "start" || text == "end") {
    share = 100;
  } else {
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, share);
    if (error != std::errc() || end + 1 != last || *end != '%' || !(share > 0 && share <= 100))
      return BadPositions(use.id, use.positions + " is not understood");
  }
  if (count == 0) return picked;
  if (text == "start") return std::vector<size_t>{0};
  if (text == "end") return std::vector<size_t>{count - 1};
  // Evenly spread over the program, the first point always among them.
  const auto wanted = std::clamp<size_t>(std::llround(share / 100 * double(count)), 1, count);
  for (size_t i = 0; i < wanted; ++i) picked.push_back(i * count / wanted);
  return picked;
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
  // Of each target alike: at level lowered one mutant changes the code of all of them.
  std::vector<MutationPoint> picked;
  for (const std::vector<MutationPoint>& of_target : ByTarget(FirstVariants(points)))
    for (size_t i : TRY(Pick(use, of_target.size()))) picked.push_back(of_target[i]);
  if (picked.empty()) return mutants;
  const Level level = picked.front().level;
  mutants.push_back(MakeMutant(use, category, level, std::move(picked), subject));
  return mutants;
}

uint64_t SampleRank(uint64_t seed, const std::string& id) {
  return Hash64(std::to_string(seed) + "\n" + id);
}

}  // namespace mutatenn
