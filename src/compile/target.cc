// Resolves `host` by asking LLVM for this CPU's name and features; refuses names LLVM does not
// know, which it would else replace by a generic CPU with no more than a log line.
#include "compile/target.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "compile/nvrtc.h"
#include "tvm/symbols.h"

namespace mutatenn {
namespace {

Json HostFeatures() {
  // A virtual machine may hide features that the CPU's name implies, so they are all spelled out.
  std::vector<std::string> features;
  for (const auto& [name, on] : Call(global::kHostFeatures).Entries())
    features.push_back((on.Int() != 0 ? "+" : "-") + name.Text());
  std::sort(features.begin(), features.end());
  return features;
}

Node ToNode(const Json& json) {
  if (json.is_boolean()) return Node(json.get<bool>());
  if (json.is_number_integer()) return Node(json.get<int64_t>());
  if (json.is_number()) return Node(json.get<double>());
  if (json.is_string()) return Node(json.get<std::string>());
  if (json.is_array()) {
    std::vector<Node> items;
    for (const Json& item : json) items.push_back(ToNode(item));
    return Node(items);
  }
  std::vector<std::pair<Node, Node>> entries;
  for (const auto& [key, value] : json.items()) entries.emplace_back(Node(key), ToNode(value));
  return MakeDict(entries);
}

// `json` with "host" replaced by this CPU's name and features; CPU names are checked.
Status ResolveCpu(const std::string& text, Json& json) {
  const std::string cpu = json.value("mcpu", "");
  if (cpu == "host")
    return Guard("asking LLVM for this CPU", [&] {
      json["mcpu"] = Call(global::kHostCpu).Text();
      json["mattr"] = HostFeatures();
      return Unit{};
    });
  if (cpu.empty()) return Ok();
  const std::string triple = json.value("mtriple", "x86_64-linux-gnu");
  bool known = TRY(Guard("asking LLVM for a CPU",
                         [&] { return Call(global::kValidCpu, cpu, triple).Int() != 0; }));
  if (!known)
    return Fail(Code::kInvalidInput, "target ", text, ": LLVM knows no CPU '", cpu, "' for ",
                triple, "; say \"host\" for this machine's own, or a name such as \"x86-64\"");
  return Ok();
}

}  // namespace

Target Target::ForWeights() const {
  Target host = *this;
  host.node = once;
  if (accelerator()) host.kind = "llvm";
  return host;
}

Result<Target> ResolveTarget(const std::string& text) {
  TRY(LoadCompiler());
  Json json =
      text.starts_with("{") || text.starts_with("\"") ? TRY(ParseJson(text, "target")) : Json(text);
  if (json.is_string()) json = Json{{"kind", json}};  // a bare kind
  if (!json.contains("kind") || !json["kind"].is_string())
    return Fail(Code::kInvalidInput, "target ", text,
                ": key 'kind' is missing; say {\"kind\": \"llvm\"}");
  Target target;
  target.kind = json["kind"].get<std::string>();
  if (target.kind != "llvm" && target.kind != "opencl" && target.kind != "cuda")
    return Fail(Code::kUnsupported, "target ", text, ": kind '", target.kind,
                "' is not supported yet; say {\"kind\": \"llvm\"}, \"opencl\" or \"cuda\"");
  Json host;
  if (target.accelerator()) {
    host = json.value("host", Json{{"kind", "llvm"}});
    if (host.is_string()) host = Json{{"kind", host}};
    if (!host.is_object() || host.value("kind", "") != "llvm")
      return Fail(Code::kInvalidInput, "target ", text, ": its host must be of kind \"llvm\"");
    TRY(ResolveCpu(text, host));
    if (target.kind == "cuda" && !json.contains("arch")) json["arch"] = kLeastCudaArchitecture;
    json["host"] = host;
  } else {
    TRY(ResolveCpu(text, json));
  }
  // Sorted keys: two spellings of one target are one target.
  nlohmann::json sorted = nlohmann::json::parse(json.dump());
  target.canonical = sorted.dump();
  constexpr size_t kHashDigits = 8;
  target.label =
      json.value("mcpu", target.kind) + ":" + HashBytes(target.canonical).substr(0, kHashDigits);
  auto made = Guard("", [&] {
    auto make = [](Json of, Json beside) {
      of.erase("host");
      Node node = Call(global::kGetTarget, ToNode(of));
      return Call(global::kWithHost, node,
                  beside.is_null() ? node : Call(global::kGetTarget, ToNode(beside)));
    };
    Json tuned = json;
    if (!target.accelerator()) {
      Json& options = tuned["cl-opt"];  // the user's, if any, come after ours
      Json own = std::exchange(options, Json(kLlvmOptions));
      for (const Json& option : own) options.push_back(option);
    }
    target.node = make(tuned, host);
    Json once = target.accelerator() ? host : json;
    once["opt-level"] = 0;
    target.once = make(once, nullptr);
    return Unit{};
  });
  if (!made.ok())
    return Fail(Code::kInvalidInput, "target ", text, ": TVM refuses it: ", made.error().message);
  return target;
}

}  // namespace mutatenn
