// Programs as structs and as JSON, with every reference checked on the way in.
#include "program/program.h"

#include <set>

#include "base/decode.h"

namespace mutatenn {
namespace {

const char* KindName(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kInput:
      return "input";
    case Value::Kind::kWeight:
      return "weight";
    case Value::Kind::kStep:
      return "step";
  }
  return "step";
}

Json ToJson(const Value& v) {
  Json j = {{"name", v.name},
            {"kind", KindName(v.kind)},
            {"shape", v.type.shape},
            {"dtype", v.type.dtype}};
  if (v.kind == Value::Kind::kWeight) j.update({{"file", v.file}, {"offset", v.offset}});
  return j;
}

Json ToJson(const Step& s) {
  Json json = {{"name", s.name},       {"kernel", s.kernel}, {"inputs", s.inputs},
               {"outputs", s.outputs}, {"layers", s.layers}, {"weight_only", s.weight_only}};
  for (const auto& [input, shape] : s.views)
    json["views"].push_back({{"input", input}, {"shape", shape}});
  return json;
}

Json ToJson(const Kernel& kernel) {
  return {{"key", kernel.key},         {"role", kernel.role},
          {"library", kernel.library}, {"code", kernel.code},
          {"symbol", kernel.symbol},   {"fixed_accesses", kernel.fixed_accesses}};
}

Kernel KernelFromJson(const Json& j) {
  return {j.at("key").get<std::string>(),     j.at("role").get<std::string>(),
          j.at("library").get<std::string>(), j.at("code").get<std::string>(),
          j.at("symbol").get<std::string>(),  j.value("fixed_accesses", false)};
}

Value ValueFromJson(const Json& j) {
  Value v;
  v.name = j.at("name").get<std::string>();
  const std::string kind = j.at("kind").get<std::string>();
  v.kind = kind == "input"    ? Value::Kind::kInput
           : kind == "weight" ? Value::Kind::kWeight
                              : Value::Kind::kStep;
  v.type.shape = j.at("shape").get<std::vector<int64_t>>();
  v.type.dtype = j.at("dtype").get<std::string>();
  if (v.kind == Value::Kind::kWeight) {
    v.file = j.at("file").get<std::string>();
    v.offset = j.at("offset").get<int64_t>();
  }
  return v;
}

Step StepFromJson(const Json& j) {
  Step s{j.at("name").get<std::string>(),
         j.at("kernel").get<std::string>(),
         j.at("inputs").get<std::vector<int>>(),
         j.at("outputs").get<std::vector<int>>(),
         j.at("layers").get<std::vector<std::string>>(),
         j.at("weight_only").get<bool>()};
  for (const Json& view : j.value("views", Json::array()))
    s.views[view.at("input").get<int>()] = view.at("shape").get<std::vector<int64_t>>();
  return s;
}

Json ToJson(const ProgramEdit::Run& run) { return {run.from, run.count, run.fresh}; }

template <class List>
Json ListToJson(const List& list) {
  Json json = Json::array();
  for (const auto& entry : list) json.push_back(ToJson(entry));
  return json;
}

Json KernelsToJson(const std::map<std::string, Kernel>& kernels) {
  Json json = Json::array();
  for (const auto& [key, kernel] : kernels) json.push_back(ToJson(kernel));
  return json;
}

std::map<std::string, Kernel> KernelsFromJson(const Json& json) {
  std::map<std::string, Kernel> kernels;
  for (const Json& j : json) {
    Kernel kernel = KernelFromJson(j);
    kernels[kernel.key] = kernel;
  }
  return kernels;
}

std::vector<ProgramEdit::Run> RunsFromJson(const Json& json) {
  std::vector<ProgramEdit::Run> runs;
  for (const Json& j : json)
    runs.push_back({j.at(0).get<int>(), j.at(1).get<int>(), j.at(2).get<int>()});
  return runs;
}

Json ToJson(const ProgramEdit& e) {
  return {{"value_runs", ListToJson(e.value_runs)},
          {"step_runs", ListToJson(e.step_runs)},
          {"values", ListToJson(e.values)},
          {"steps", ListToJson(e.steps)},
          {"kernels", KernelsToJson(e.kernels)},
          {"inputs", e.inputs},
          {"outputs", e.outputs}};
}

ProgramEdit EditFromJson(const Json& json) {
  ProgramEdit e;
  e.value_runs = RunsFromJson(json.at("value_runs"));
  e.step_runs = RunsFromJson(json.at("step_runs"));
  for (const Json& j : json.at("values")) e.values.push_back(ValueFromJson(j));
  for (const Json& j : json.at("steps")) e.steps.push_back(StepFromJson(j));
  e.kernels = KernelsFromJson(json.at("kernels"));
  e.inputs = json.at("inputs").get<std::vector<int>>();
  e.outputs = json.at("outputs").get<std::vector<int>>();
  return e;
}

}  // namespace

bool SameCode(const Kernel& a, const Kernel& b) {
  return (!a.code.empty() && a.code == b.code) || (a.library == b.library && a.symbol == b.symbol);
}

int64_t TensorType::Elements() const {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  return n;
}

int64_t TensorType::Bytes() const {
  size_t digit = dtype.find_first_of("0123456789");
  int64_t bits =
      dtype == "bool" || digit == std::string::npos ? 8 : std::stoll(dtype.substr(digit));
  return Elements() * ((bits + 7) / 8);
}

int Program::FindValue(const std::string& name) const {
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].name == name) return static_cast<int>(i);
  return -1;
}

Json ToJson(const Program& p) {
  return {{"model", p.model},
          {"target", p.target},
          {"values", ListToJson(p.values)},
          {"steps", ListToJson(p.steps)},
          {"kernels", KernelsToJson(p.kernels)},
          {"inputs", p.inputs},
          {"outputs", p.outputs}};
}

Result<Program> ProgramFromJson(const Json& json) {
  return Decode("a program", [&]() -> Result<Program> {
    Program p;
    p.model = json.at("model").get<std::string>();
    p.target = json.at("target").get<std::string>();
    for (const Json& j : json.at("values")) p.values.push_back(ValueFromJson(j));
    for (const Json& j : json.at("steps")) p.steps.push_back(StepFromJson(j));
    p.kernels = KernelsFromJson(json.at("kernels"));
    p.inputs = json.at("inputs").get<std::vector<int>>();
    p.outputs = json.at("outputs").get<std::vector<int>>();
    TRY(Validate(p));
    return p;
  });
}

Json ToJson(const MutantProgram& m) {
  Json replaced = Json::object();
  for (const auto& [key, kernel] : m.replaced) replaced[key] = ToJson(kernel);
  Json json = {{"mutant", m.mutant},
               {"graph_changed", m.graph_changed},
               {"replaced", replaced},
               {"guarded", m.guarded}};
  if (m.graph_changed) json["edit"] = ToJson(m.edit);
  return json;
}

Result<MutantProgram> MutantProgramFromJson(const Json& json) {
  return Decode("a mutant's program", [&]() -> Result<MutantProgram> {
    MutantProgram m;
    m.mutant = json.at("mutant").get<std::string>();
    m.graph_changed = json.at("graph_changed").get<bool>();
    for (const auto& [key, kernel] : json.at("replaced").items())
      m.replaced[key] = KernelFromJson(kernel);
    m.guarded = json.at("guarded").get<std::vector<std::string>>();
    if (m.graph_changed) m.edit = EditFromJson(json.at("edit"));
    return m;
  });
}

Status Validate(const Program& p) {
  auto damaged = [](const std::string& what) {
    return Fail(Code::kInvalidInput, "a program is damaged: ", what);
  };
  std::set<std::string> names;
  for (const Value& v : p.values) {
    if (!names.insert(v.name).second) return damaged("two values are named '" + v.name + "'");
    for (int64_t d : v.type.shape)
      if (d < 0) return damaged("value '" + v.name + "' has a negative dimension");
    if (v.kind == Value::Kind::kWeight && (v.offset < 0 || v.offset % 64 != 0))
      return damaged("weight '" + v.name + "' is not aligned to 64 bytes");
  }
  std::vector<bool> defined(p.values.size());
  for (size_t i = 0; i < p.values.size(); ++i) defined[i] = p.values[i].kind != Value::Kind::kStep;
  auto known = [&](int i) { return i >= 0 && static_cast<size_t>(i) < p.values.size(); };
  for (const Step& s : p.steps) {
    if (!p.kernels.count(s.kernel)) return damaged("step '" + s.name + "' names an unknown kernel");
    if (s.outputs.empty()) return damaged("step '" + s.name + "' has no output");
    for (int i : s.inputs)
      if (!known(i) || !defined[i])
        return damaged("step '" + s.name + "' reads a value before it is made");
    for (const auto& [input, shape] : s.views) {
      if (input < 0 || static_cast<size_t>(input) >= s.inputs.size())
        return damaged("step '" + s.name + "' views an input that it has not");
      const TensorType& type = p.values[static_cast<size_t>(s.inputs[input])].type;
      if (TensorType{shape, type.dtype}.Elements() != type.Elements())
        return damaged("step '" + s.name + "' views an input of another size");
    }
    for (int i : s.outputs) {
      if (!known(i) || defined[i]) return damaged("step '" + s.name + "' writes a value twice");
      defined[i] = true;
    }
  }
  for (int i : p.inputs)
    if (!known(i) || p.values[i].kind != Value::Kind::kInput) return damaged("an input is none");
  for (int i : p.outputs)
    if (!known(i) || !defined[i]) return damaged("an output is never made");
  return Ok();
}

}  // namespace mutatenn
