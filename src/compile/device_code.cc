// Splits a lowered function into host and device, generates both and packs the device's part into
// an object of its own.
#include "compile/device_code.h"

#include <cctype>
#include <map>

#include "compile/codegen.h"
#include "compile/nvrtc.h"
#include "tvm/cuda_code.h"
#include "tvm/gpu_passes.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

// Data has no instructions; but another machine's object needs that machine's target.
std::string HostText(const Node& host) {
  const std::string triple =
      host["attrs"].Find("mtriple") ? host["attrs"].Find("mtriple").Text() : "";
  return triple.empty() ? R"({"kind":"llvm"})" : R"({"kind":"llvm","mtriple":")" + triple + "\"}";
}

// Device code is source text, where names must be identifiers: LLVM takes "bn1#1" for a value.
std::string Identifier(const std::string& name) {
  std::string safe;
  for (unsigned char c : name)
    safe.push_back(std::isalnum(c) || c == '_' ? static_cast<char>(c) : '_');
  return safe;
}

Node WithIdentifiers(const Node& function) {
  std::map<const void*, Node> renamed;
  auto rename = [&](const Node& node) -> Node {
    if (!node.Is(type::kVar)) return node;
    const std::string name = node["name"].Text(), safe = Identifier(name);
    if (safe == name) return node;
    Node& fresh = renamed[node.id()];
    if (!fresh) fresh = Make(global::kVar, safe, node["ty"]);
    return fresh;
  };
  std::vector<Node> parameters;
  for (const Node& parameter : function["params"].Items()) parameters.push_back(rename(parameter));
  return WithFields(function,
                    {{"params", Node(parameters)}, {"body", Map(function["body"], rename)}});
}

using Functions = std::vector<std::pair<Node, Node>>;  // GlobalVar -> PrimFunc

// The GlobalVars stay: host functions name device functions by them.
Node ModuleOf(const Functions& functions) {
  return Call(global::kIRModule, MakeDict(functions), Node(), MakeDict({}));
}

template <class Passes>
Node RunPasses(Node module, const Passes& passes) {
  for (const char* pass : passes) module = RunPass(Call(pass), module);
  return module;
}

}  // namespace

std::string KindOf(const Node& target) { return target["kind"]["name"].Text(); }

Result<DeviceCode> EmitDeviceCode(const Node& lowered, const std::string& symbol,
                                  const Node& target) {
  struct Modules {
    Node host, device;
    std::string source;
  };
  if (KindOf(target) == "cuda") RegisterCudaCode();
  const auto made = TRY(Guard("code generation", [&] {
    const Node module = RunPasses(
        MakeModule({{symbol, WithAttribute(WithIdentifiers(lowered), "global_symbol", symbol)}}),
        kGpuPackingPasses);
    Functions host, device;
    const std::string kind = KindOf(target);
    for (const auto& entry : module["functions"].Entries()) {
      const Node of = Attribute(entry.second, "target");
      (of && KindOf(of) == kind ? device : host).push_back(entry);
    }
    if (device.empty()) GiveUp("the kernel has no part that runs on the device");
    Modules modules;
    modules.device = Call(kind == "cuda" ? gpu::kBuildCuda : gpu::kBuildOpenCl,
                          RunPasses(ModuleOf(device), kGpuDevicePasses), target);
    modules.source = Call(gpu::kInspectSource, modules.device, "").Text();
    modules.host =
        Call(global::kBuildLlvm, RunPasses(ModuleOf(host), kGpuHostPasses), target["host"]);
    return modules;
  }));
  // The host's module imports the device's; packing writes what is imported, and a library from it.
  DeviceCode code;
  code.source = made.source;
  CudaBinary binary;
  if (KindOf(target) == "cuda")
    binary = TRY(CompileCuda(made.source, target["attrs"].Find("arch").Text()));
  const Node packed = TRY(Guard("packing device code", [&] {
    Call(gpu::kImportModule, made.host,
         binary.bytes.empty() ? made.device
                              : WithDeviceBinary(made.device, binary.format, binary.bytes));
    return Call(gpu::kPackImports, made.host, false, HostText(target["host"]), "");
  }));
  code.objects = {TRY(ObjectOf(made.host)), TRY(ObjectOf(packed))};
  return code;
}

}  // namespace mutatenn
