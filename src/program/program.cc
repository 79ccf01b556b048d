// Programs as structs and as JSON, with every reference checked on the way in.
#include "program/program.h"

#include <set>

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

Json ToJson(const Kernel& kernel) {
  return {{"key", kernel.key},
          {"role", kernel.role},
          {"library", kernel.library},
          {"code", kernel.code}};
}

// nlohmann throws on a missing key or a wrong type; these files are ours, so one catch says enough.
template <class F>
auto Decode(const char* what, F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const nlohmann::json::exception& e) {
    return Fail(Code::kInvalidInput, what, " is damaged: ", e.what());
  }
}

Kernel KernelFromJson(const Json& j) {
  return {j.at("key").get<std::string>(), j.at("role").get<std::string>(),
          j.at("library").get<std::string>(), j.at("code").get<std::string>()};
}

}  // namespace

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

Program MutantProgram::Apply(const Program& original) const {
  if (graph_changed) return program;
  Program result = original;
  for (const auto& [key, kernel] : replaced) result.kernels[key] = kernel;
  return result;
}

Json ToJson(const Program& p) {
  Json values = Json::array(), steps = Json::array(), kernels = Json::array();
  for (const Value& v : p.values) {
    Json j = {{"name", v.name},
              {"kind", KindName(v.kind)},
              {"shape", v.type.shape},
              {"dtype", v.type.dtype}};
    if (v.kind == Value::Kind::kWeight) j.update({{"file", v.file}, {"offset", v.offset}});
    values.push_back(std::move(j));
  }
  for (const Step& s : p.steps) {
    steps.push_back({{"name", s.name},
                     {"kernel", s.kernel},
                     {"inputs", s.inputs},
                     {"outputs", s.outputs},
                     {"layers", s.layers},
                     {"weight_only", s.weight_only}});
    for (const auto& [input, shape] : s.views)
      steps.back()["views"].push_back({{"input", input}, {"shape", shape}});
  }
  for (const auto& [key, kernel] : p.kernels) kernels.push_back(ToJson(kernel));
  return {{"model", p.model},   {"target", p.target}, {"values", values},    {"steps", steps},
          {"kernels", kernels}, {"inputs", p.inputs}, {"outputs", p.outputs}};
}

Result<Program> ProgramFromJson(const Json& json) {
  return Decode("a program", [&]() -> Result<Program> {
    Program p;
    p.model = json.at("model").get<std::string>();
    p.target = json.at("target").get<std::string>();
    for (const Json& j : json.at("values")) {
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
      p.values.push_back(std::move(v));
    }
    for (const Json& j : json.at("steps")) {
      Step s;
      s.name = j.at("name").get<std::string>();
      s.kernel = j.at("kernel").get<std::string>();
      s.inputs = j.at("inputs").get<std::vector<int>>();
      s.outputs = j.at("outputs").get<std::vector<int>>();
      s.layers = j.at("layers").get<std::vector<std::string>>();
      s.weight_only = j.at("weight_only").get<bool>();
      for (const Json& view : j.value("views", Json::array()))
        s.views[view.at("input").get<int>()] = view.at("shape").get<std::vector<int64_t>>();
      p.steps.push_back(std::move(s));
    }
    for (const Json& j : json.at("kernels")) {
      Kernel kernel = KernelFromJson(j);
      p.kernels[kernel.key] = kernel;
    }
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
  if (m.graph_changed) json["program"] = ToJson(m.program);
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
    if (m.graph_changed) m.program = TRY(ProgramFromJson(json.at("program")));
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
