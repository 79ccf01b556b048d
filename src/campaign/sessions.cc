// The keys of each kind of session, and the call that opens it.
#include "campaign/sessions.h"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "base/files.h"
#include "base/socket.h"
#include "campaign/key_table.h"
#include "device/farm.h"

namespace mutatenn {
namespace {

constexpr const char* kSecretDoc =
    "File that holds the secret the server was started with; without it, none is used.";

const Key kServer{"server",
                  KeyType::kString,
                  "What runs there: mutatenn-worker serve, or TVM's own RPC server (python -m "
                  "tvm.exec.rpc_server), which the worker is uploaded to.",
                  false,
                  "mutatenn",
                  {"mutatenn", "tvm"}};
const Key kWorker{
    "worker", KeyType::kString,
    "The mutatenn-worker to upload with all that lies beside it, for a machine of another "
    "kind (make worker-aarch64); without it, this machine's own.",
    false, ""};
const Key kKind{"kind", KeyType::kString, "", true, nullptr, {"local", "remote", "tracker"}};

const ObjectKeys& KeysOf(const std::string& kind) {
  static const ObjectKeys local{{kKind}};
  static const ObjectKeys remote{{
      kKind,
      {"servers", KeyType::kStrings, "Addresses of mutatenn-worker serve: tcp://HOST:PORT.", true},
      {"secret_file", KeyType::kString, kSecretDoc, false, ""},
      kServer,
      kWorker,
      {"key", KeyType::kString, "The --key that TVM's own server was started with.", false, ""},
  }};
  static const ObjectKeys tracker{{
      kKind,
      {"tracker", KeyType::kString, "Address of TVM's tracker: tcp://HOST:PORT.", true},
      {"key", KeyType::kString, "The name of this kind of device there.", true},
      {"count",
       KeyType::kInteger,
       "Servers to use; 0 = as many as are registered.",
       false,
       0,
       {},
       0},
      {"secret_file", KeyType::kString, kSecretDoc, false, ""},
      kServer,
      kWorker,
  }};
  return kind == "remote" ? remote : kind == "tracker" ? tracker : local;
}

// The instruction set in a target's or its host's triple; "" = this machine's.
std::string MachineOf(const Json& target) {
  if (target.contains("host") && target["host"].is_object()) return MachineOf(target["host"]);
  const std::string triple = target.value("mtriple", "");
  return triple.substr(0, triple.find('-'));
}

Result<std::string> ReadSecret(const std::string& file) {
  if (file.empty()) return std::string();
  std::string secret = TRY(ReadFile(file).With("secret_file"));
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  return secret;
}

}  // namespace

Result<Json> CheckSession(
    const Json& session, const std::string& where, const std::string& path,
    const std::function<Result<std::string>(const std::string& path, const std::string& key)>&
        resolve) {
  // First the kind alone: it says which keys there are.
  static const ObjectKeys any{{kKind}, /*open=*/true};
  std::string kind = TRY(CheckObject(session, any, where, path)).at("kind");
  Json checked = TRY(CheckObject(session, KeysOf(kind), where, path));
  auto address = [&](const std::string& text, const std::string& key) -> Status {
    TRY(ParseAddress(text).With(where + path + "." + key));
    return Ok();
  };
  if (kind == "remote") {
    const Json& servers = checked["servers"];
    if (servers.empty()) return Fail(Code::kInvalidInput, where, path, ".servers: is empty");
    for (size_t i = 0; i < servers.size(); ++i)
      TRY(address(servers[i], fmt::format("servers[{}]", i)));
  }
  if (kind == "tracker") TRY(address(checked["tracker"], "tracker"));
  if (checked.contains("server")) {
    const bool tvm = checked["server"] == "tvm";
    auto only = [&](const char* key, bool for_tvm) -> Status {
      if (tvm == for_tvm || !checked.contains(key) || checked[key] == "") return Ok();
      return Fail(Code::kInvalidInput, where, path, ".", key, ": is for servers of kind '",
                  for_tvm ? "tvm" : "mutatenn", "' only");
    };
    TRY(only("secret_file", false));
    TRY(only("worker", true));
    if (kind == "remote") TRY(only("key", true));
    checked["worker"] = TRY(resolve(checked["worker"].get<std::string>(), path + ".worker"));
  }
  if (checked.contains("secret_file")) {
    checked["secret_file"] =
        TRY(resolve(checked["secret_file"].get<std::string>(), path + ".secret_file"));
  }
  return checked;
}

Result<std::unique_ptr<Session>> OpenSession(const DeviceConfig& device,
                                             const std::string& scratch) {
  const Json& session = device.session;
  const std::string kind = session.at("kind");
  if (kind == "local")
    return OpenLocalSession({.worker = "",
                             .scratch = scratch,
                             .sabotage_allowed = std::getenv("MUTATENN_SABOTAGE") != nullptr});
  FarmOptions farm{.timeout_s = device.timeout_s, .recover = device.recover};
  if (session.at("server") == "tvm")
    farm.tvm_server = TvmServerOptions{
        .machine = MachineOf(device.target),
        .kind = device.target.value("kind", ""),
        .worker = std::filesystem::path(session.at("worker").get<std::string>()).parent_path()};
  farm.secret = TRY(ReadSecret(session.at("secret_file")));
  if (kind == "remote") {
    for (const Json& server : session.at("servers"))
      farm.servers.push_back(TRY(ParseAddress(server)));
    farm.key = session.at("key");
  } else {
    farm.tracker = TRY(ParseAddress(session.at("tracker")));
    farm.key = session.at("key");
    farm.count = session.at("count");
  }
  return OpenFarm(farm);
}

}  // namespace mutatenn
