// Both ends of the greeting and of the transfer of files by content.
#include "device/wire.h"

#include "base/hmac.h"

namespace mutatenn {
namespace {

constexpr std::string_view kMagic = "MNN1";
constexpr int kProtocol = 3;        // raised with every change of a message
constexpr double kPatience_s = 10;  // of the greeting
constexpr double kTransfer_s = 60;  // without a single byte
constexpr int64_t kLargestFile = int64_t{8} << 30;
constexpr int64_t kLargestHello = 1 << 16;

const char* PurposeName(Purpose purpose) {
  return purpose == Purpose::kSession ? "session" : "files";
}

std::string TextOf(const Json& json, const char* key) {
  auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<Json> ReceiveObject(const Socket& socket, double patience_s) {
  Json message = TRY(socket.ReceiveMessage(patience_s, kLargestHello));
  if (!message.is_object()) return Fail(Code::kInvalidInput, "a message that is no object");
  if (std::string error = TextOf(message, "error"); !error.empty())
    return Fail(message.value("for_now", false) ? Code::kUnavailable : Code::kInvalidInput,
                "the server says: ", error);
  return message;
}

}  // namespace

Result<ServerHello> GreetServer(const Socket& socket, const ClientHello& hello,
                                const std::string& secret) {
  const Json ours = {{"purpose", PurposeName(hello.purpose)},
                     {"key", hello.key},
                     {"nonce", TRY(RandomHex(16))},
                     {"after", hello.after}};
  TRY(socket.Send(kMagic, kPatience_s));
  TRY(socket.SendMessage(ours, kPatience_s));
  Json challenge = TRY(ReceiveObject(socket, kPatience_s));
  if (challenge.value("protocol", 0) != kProtocol)
    return Fail(
        Code::kInvalidInput,
        "is no mutatenn-worker of this version; install the one that belongs to this mutatenn");
  if (challenge.value("secret", false) && secret.empty())
    return Fail(Code::kInvalidInput, "it asks for a secret; name its file as secret_file");
  if (!challenge.value("secret", false) && !secret.empty())
    return Fail(Code::kInvalidInput,
                "it asks for no secret; start it with --secret-file, or leave secret_file out");
  const std::string said = DumpJson(challenge) + DumpJson(ours);
  if (!secret.empty())
    TRY(socket.SendMessage({{"proof", HmacSha256(secret, "client " + said)}}, kPatience_s));
  Json theirs = TRY(ReceiveObject(socket, kPatience_s));
  if (!SameSecret(TextOf(theirs, "proof"), HmacSha256(secret, "server " + said)))
    return Fail(Code::kInvalidInput, "the server does not know the secret");
  return ServerHello{TextOf(theirs, "root"), TextOf(theirs, "ended")};
}

Result<ClientHello> HearClient(const Socket& socket, const std::string& secret, std::string* said) {
  std::string magic(kMagic.size(), '\0');
  TRY(socket.Receive(magic.data(), magic.size(), kPatience_s));
  if (magic != kMagic)
    return Fail(Code::kInvalidInput, "a peer that does not speak MutateNN's protocol");
  Json challenge = {
      {"protocol", kProtocol}, {"challenge", TRY(RandomHex(16))}, {"secret", !secret.empty()}};
  TRY(socket.SendMessage(challenge, kPatience_s));
  Json theirs = TRY(ReceiveObject(socket, kPatience_s));
  const std::string purpose = TextOf(theirs, "purpose");
  ClientHello hello;
  hello.key = TextOf(theirs, "key");
  if (theirs.contains("after") && theirs["after"].is_number_integer())
    hello.after = theirs["after"].get<int64_t>();
  hello.purpose = purpose == "files" ? Purpose::kFiles : Purpose::kSession;
  *said = DumpJson(challenge) + DumpJson(theirs);
  if (secret.empty()) return hello;
  const std::string proof = TextOf(TRY(ReceiveObject(socket, kPatience_s)), "proof");
  if (!SameSecret(proof, HmacSha256(secret, "client " + *said))) {
    Refuse(socket, "wrong secret");
    return Fail(Code::kInvalidInput, "a peer with another secret");
  }
  return hello;
}

Status Welcome(const Socket& socket, const ServerHello& hello, const std::string& secret,
               const std::string& said) {
  return socket.SendMessage({{"proof", HmacSha256(secret, "server " + said)},
                             {"root", hello.root},
                             {"ended", hello.ended}},
                            kPatience_s);
}

void Refuse(const Socket& socket, const std::string& why, bool for_now) {
  (void)socket.SendMessage({{"error", why}, {"for_now", for_now}}, kPatience_s);
}

Status SendFiles(const Socket& socket, const std::vector<std::string>& names,
                 const std::function<Result<std::string>(size_t)>& read, int64_t* bytes_sent,
                 const std::function<std::vector<size_t>(const std::vector<size_t>&)>& wanted) {
  TRY(socket.SendMessage(names, kTransfer_s));
  Json answer = TRY(socket.ReceiveMessage(kTransfer_s));
  if (!answer.is_array()) return Fail(Code::kUnavailable, "the server does not take files");
  std::vector<size_t> missing;
  for (const Json& entry : answer) {
    if (!entry.is_number_unsigned() || entry.get<size_t>() >= names.size())
      return Fail(Code::kUnavailable, "the server asks for a file that was not offered");
    missing.push_back(entry.get<size_t>());
  }
  if (missing.empty()) return Ok();
  const std::vector<size_t> now = wanted ? wanted(missing) : missing;
  TRY(socket.SendMessage(now, kTransfer_s));
  if (now.empty()) return Ok();
  for (size_t index : now) {
    std::string bytes = TRY(read(index));
    uint64_t size = bytes.size();
    TRY(socket.Send({reinterpret_cast<const char*>(&size), sizeof size}, kTransfer_s));
    TRY(socket.Send(bytes, kTransfer_s));
    *bytes_sent += static_cast<int64_t>(size);
  }
  TRY(ReceiveObject(socket, kTransfer_s));  // or its error
  return Ok();
}

Status ReceiveFiles(const Socket& socket, const std::string& folder) {
  while (true) {
    Result<Json> names = socket.ReceiveMessage(-1);
    if (!names.ok()) return Ok();  // the client left
    Json missing = TRY(MissingFiles(folder, *names));
    TRY(socket.SendMessage(missing, kTransfer_s));
    if (missing.empty()) continue;
    const Json now = TRY(socket.ReceiveMessage(kTransfer_s));
    if (!now.is_array()) return Fail(Code::kInvalidInput, "a client that sends no files");
    if (now.empty()) continue;
    std::string problem;
    for (const Json& entry : now) {
      if (!entry.is_number_unsigned() || entry.get<size_t>() >= names->size())
        return Fail(Code::kInvalidInput, "a file that was not offered");
      std::string name = (*names)[entry.get<size_t>()];
      uint64_t size = 0;
      TRY(socket.Receive(&size, sizeof size, kTransfer_s));
      if (size > static_cast<uint64_t>(kLargestFile))
        return Fail(Code::kInvalidInput, "a file of ", std::to_string(size), " bytes");
      std::string bytes(size, '\0');
      TRY(socket.Receive(bytes.data(), bytes.size(), kTransfer_s));
      Status kept = KeepFile(folder, name, bytes);
      if (!kept.ok()) problem = kept.error().message;
    }
    TRY(socket.SendMessage(problem.empty() ? Json::object() : Json{{"error", problem}},
                           kTransfer_s));
  }
}

}  // namespace mutatenn
