// Structs to JSON and back. Both ends are this program, so a missing key is a bug, not bad input.
#include "compile/server_messages.h"

namespace mutatenn {
namespace {

constexpr Code kCodes[] = {Code::kInvalidInput, Code::kNotFound,    Code::kUnsupported,
                           Code::kTimeout,      Code::kUnavailable, Code::kIo,
                           Code::kTvm,          Code::kInternal};

Level LevelFromName(const std::string& name) {
  for (Level level : {Level::kGraph, Level::kCode, Level::kLowered, Level::kBuild})
    if (name == LevelName(level)) return level;
  CHECK(false, "unknown level " + name);
}

}  // namespace

Json ErrorToJson(const Error& error) {
  return {{"error", {{"code", CodeName(error.code)}, {"message", error.message}}}};
}

Error ErrorFromJson(const Json& json) {
  const std::string name = json["error"]["code"].get<std::string>();
  for (Code code : kCodes)
    if (name == CodeName(code)) return {code, json["error"]["message"].get<std::string>()};
  return {Code::kInternal, json["error"]["message"].get<std::string>()};
}

Json ToJson(const GeneratorOptions& o) {
  return {{"model_name", o.model_name},
          {"model_path", o.model_path},
          {"targets", o.targets},
          {"level", o.level},
          {"root", o.root},
          {"cache", o.cache},
          {"jobs", o.jobs},
          {"batch", o.batch},
          {"batch_limit_s", o.batch_limit_s},
          {"compile", o.compile}};
}
GeneratorOptions GeneratorOptionsFromJson(const Json& j) {
  GeneratorOptions o;
  o.model_name = j["model_name"].get<std::string>();
  o.model_path = j["model_path"].get<std::string>();
  o.targets = j["targets"].get<std::vector<std::string>>();
  o.level = j["level"].get<int>();
  o.root = j["root"].get<std::string>();
  o.cache = j["cache"].get<std::string>();
  o.jobs = j["jobs"].get<int>();
  o.batch = j["batch"].get<int>();
  o.batch_limit_s = j["batch_limit_s"].get<double>();
  o.compile = j["compile"].get<bool>();
  return o;
}

Json ToJson(const GeneratorInfo& i) {
  Json programs = Json::array(), layers = Json::array();
  for (const Program& program : i.programs) programs.push_back(ToJson(program));
  for (const LayerInfo& layer : i.layers)
    layers.push_back({{"name", layer.name}, {"op", layer.op}});
  return {{"programs", programs},
          {"graph_hash", i.graph_hash},
          {"layers", layers},
          {"tvm_version", i.tvm_version},
          {"canonical_targets", i.canonical_targets},
          {"import_s", i.import_s},
          {"compile_s", i.compile_s},
          {"generate_s", i.generate_s},
          {"link_s", i.link_s},
          {"kernels_compiled", i.kernels_compiled},
          {"kernels_cached", i.kernels_cached}};
}
Result<GeneratorInfo> GeneratorInfoFromJson(const Json& j) {
  GeneratorInfo i;
  for (const Json& program : j["programs"]) i.programs.push_back(TRY(ProgramFromJson(program)));
  for (const Json& layer : j["layers"])
    i.layers.push_back({layer["name"].get<std::string>(), layer["op"].get<std::string>()});
  i.graph_hash = j["graph_hash"].get<std::string>();
  i.tvm_version = j["tvm_version"].get<std::string>();
  i.canonical_targets = j["canonical_targets"].get<std::vector<std::string>>();
  i.import_s = j["import_s"].get<double>();
  i.compile_s = j["compile_s"].get<double>();
  i.generate_s = j["generate_s"].get<double>();
  i.link_s = j["link_s"].get<double>();
  i.kernels_compiled = j["kernels_compiled"].get<int>();
  i.kernels_cached = j["kernels_cached"].get<int>();
  return i;
}

Json ToJson(const OperatorUse& u) {
  return {{"id", u.id},
          {"parameters", u.parameters},
          {"positions", u.positions},
          {"scope", u.scope},
          {"file", u.file}};
}
OperatorUse OperatorUseFromJson(const Json& j) {
  return {j["id"].get<std::string>(), j["parameters"], j["positions"].get<std::string>(),
          j["scope"].get<std::string>(), j["file"].get<std::string>()};
}

Json ToJson(const PointsOfUse& p) {
  Json points = Json::array();
  for (const MutationPoint& point : p.points) points.push_back(point.ToJson());
  return {{"use", ToJson(p.use)},
          {"category", p.category},
          {"level", LevelName(p.level)},
          {"points", points}};
}
Result<PointsOfUse> PointsOfUseFromJson(const Json& j) {
  PointsOfUse p{OperatorUseFromJson(j["use"]),
                j["category"].get<std::string>(),
                LevelFromName(j["level"].get<std::string>()),
                {}};
  for (const Json& point : j["points"]) p.points.push_back(TRY(MutationPoint::FromJson(point)));
  return p;
}

Json ToJson(const Mutant& m) {
  Json points = Json::array();
  for (const MutationPoint& point : m.points) points.push_back(point.ToJson());
  return {{"id", m.id},
          {"use", ToJson(m.use)},
          {"category", m.category},
          {"level", LevelName(m.level)},
          {"points", points},
          {"place", m.place}};
}
Result<Mutant> MutantFromJson(const Json& j) {
  Mutant m;
  m.id = j["id"].get<std::string>();
  m.use = OperatorUseFromJson(j["use"]);
  m.category = j["category"].get<std::string>();
  m.level = LevelFromName(j["level"].get<std::string>());
  for (const Json& point : j["points"]) m.points.push_back(TRY(MutationPoint::FromJson(point)));
  m.place = j["place"].get<std::string>();
  return m;
}

Json ToJson(const BuiltMutant& b) {
  Json json = {{"mutant", b.mutant},   {"target", b.target}, {"state", b.state},
               {"reason", b.reason},   {"diff", b.diff},     {"ir_kind", b.ir_kind},
               {"seconds", b.seconds}, {"link_s", b.link_s}, {"cached", b.cached}};
  if (b.state == "ok") json["program"] = ToJson(b.program);
  return json;
}
Result<BuiltMutant> BuiltMutantFromJson(const Json& j) {
  BuiltMutant b;
  b.mutant = j["mutant"].get<std::string>();
  b.target = j["target"].get<int>();
  b.state = j["state"].get<std::string>();
  b.reason = j["reason"].get<std::string>();
  b.diff = j["diff"].get<std::string>();
  b.ir_kind = j["ir_kind"].get<std::string>();
  b.seconds = j["seconds"].get<double>();
  b.link_s = j["link_s"].get<double>();
  b.cached = j["cached"].get<bool>();
  if (b.state == "ok") b.program = TRY(MutantProgramFromJson(j["program"]));
  return b;
}

}  // namespace mutatenn
