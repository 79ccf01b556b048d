// Resolves `host` by asking LLVM for this CPU's name and features; refuses names LLVM does not
// know, which it would else replace by a generic CPU with no more than a log line.
#include "compile/target.h"

#include <algorithm>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
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

}  // namespace

Result<Target> ResolveTarget(const std::string& text) {
  TRY(LoadCompiler());
  Json json = text.starts_with("{") ? TRY(ParseJson(text, "target")) : Json{{"kind", text}};
  if (!json.contains("kind") || !json["kind"].is_string())
    return Fail(Code::kInvalidInput, "target ", text,
                ": key 'kind' is missing; say {\"kind\": \"llvm\"}");
  Target target;
  target.kind = json["kind"].get<std::string>();
  if (target.kind != "llvm")
    return Fail(Code::kUnsupported, "target ", text, ": kind '", target.kind,
                "' is not supported yet; say {\"kind\": \"llvm\"}");
  const std::string cpu = json.value("mcpu", "");
  if (cpu == "host") {
    TRY(Guard("asking LLVM for this CPU", [&] {
      json["mcpu"] = Call(global::kHostCpu).Text();
      json["mattr"] = HostFeatures();
      return Unit{};
    }));
  } else if (!cpu.empty()) {
    const std::string triple = json.value("mtriple", "x86_64-linux-gnu");
    bool known = TRY(Guard("asking LLVM for a CPU",
                           [&] { return Call(global::kValidCpu, cpu, triple).Int() != 0; }));
    if (!known)
      return Fail(Code::kInvalidInput, "target ", text, ": LLVM knows no CPU '", cpu, "' for ",
                  triple, "; say \"host\" for this machine's own, or a name such as \"x86-64\"");
  }
  // Sorted keys: two spellings of one target are one target.
  nlohmann::json sorted = nlohmann::json::parse(json.dump());
  target.canonical = sorted.dump();
  constexpr size_t kHashDigits = 8;
  target.label =
      json.value("mcpu", target.kind) + ":" + HashBytes(target.canonical).substr(0, kHashDigits);
  auto made = Guard("", [&] {
    Node node = Call(global::kGetTarget, ToNode(json));
    return Call(global::kWithHost, node, node);
  });
  if (!made.ok())
    return Fail(Code::kInvalidInput, "target ", text, ": TVM refuses it: ", made.error().message);
  target.node = *made;
  return target;
}

}  // namespace mutatenn
