// The keys of each kind of session, and the call that opens it.
#include "campaign/sessions.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/files.h"
#include "base/socket.h"
#include "campaign/key_table.h"
#include "device/farm.h"

namespace mutatenn {
namespace {

constexpr const char* kSecretDoc =
    "File that holds the secret the server was started with; without it, none is used.";

const Key kKind{"kind", KeyType::kString, "", true, nullptr, {"local", "remote", "tracker"}};

const ObjectKeys& KeysOf(const std::string& kind) {
  static const ObjectKeys local{{kKind}};
  static const ObjectKeys remote{{
      kKind,
      {"servers", KeyType::kStrings, "Addresses of mutatenn-worker serve: tcp://HOST:PORT.", true},
      {"secret_file", KeyType::kString, kSecretDoc, false, ""},
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
  }};
  return kind == "remote" ? remote : kind == "tracker" ? tracker : local;
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
  farm.secret = TRY(ReadSecret(session.at("secret_file")));
  if (kind == "remote") {
    for (const Json& server : session.at("servers"))
      farm.servers.push_back(TRY(ParseAddress(server)));
  } else {
    farm.tracker = TRY(ParseAddress(session.at("tracker")));
    farm.key = session.at("key");
    farm.count = session.at("count");
  }
  return OpenFarm(farm);
}

}  // namespace mutatenn
