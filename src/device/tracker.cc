// The tracker's protocol: a magic number both ways, then [size][JSON] both ways; codes as in
// tvm/rpc/base.py.
#include "device/tracker.h"

namespace mutatenn {
namespace {

constexpr uint32_t kMagic = 0x2f271;
constexpr double kAnswerSeconds = 10;
constexpr double kSlice_s = 0.2;  // how soon a stop is seen
constexpr int64_t kLargestAnswer = 1 << 20;
enum Question { kPut = 3, kRequest = 4, kUpdateInfo = 5, kSummary = 6, kPendingMatchKeys = 7 };

Error Unexpected(const Json& answer) {
  return Fail(Code::kUnavailable, "the tracker answers ", DumpJson(answer).substr(0, 80));
}

Json HostOrNull(const std::string& host) { return host.empty() ? Json() : Json(host); }

}  // namespace

Result<Tracker> Tracker::Connect(const Address& address) {
  Socket socket = TRY(ConnectTcp(address, kAnswerSeconds).With("the tracker"));
  uint32_t magic = kMagic;
  std::string_view bytes(reinterpret_cast<const char*>(&magic), sizeof magic);
  TRY(socket.Send(bytes, kAnswerSeconds).With("the tracker"));
  TRY(socket.Receive(&magic, sizeof magic, kAnswerSeconds).With("the tracker"));
  if (magic != kMagic) return Fail(Code::kUnavailable, address.Text(), " is no TVM tracker");
  return Tracker(std::move(socket));
}

Result<Json> Tracker::Ask(const Json& question) {
  TRY(socket_.SendMessage(question, kAnswerSeconds).With("the tracker"));
  return socket_.ReceiveMessage(kAnswerSeconds, kLargestAnswer).With("the tracker");
}

Status Tracker::AskForNothing(const Json& question) {
  Json answer = TRY(Ask(question));
  if (answer != 0) return Unexpected(answer);
  return Ok();
}

Status Tracker::Offer(const std::string& key, const std::string& host, int port,
                      const std::string& match_key) {
  return AskForNothing({kPut, key, Json::array({port, match_key}), HostOrNull(host)});
}

Status Tracker::Describe(const std::string& key, const std::string& host, int port) {
  return AskForNothing(
      {kUpdateInfo, {{"key", "server:" + key}, {"addr", Json::array({HostOrNull(host), port})}}});
}

Result<bool> Tracker::IsOffered(const std::string& match_key) {
  Json answer = TRY(Ask(Json::array({kPendingMatchKeys})));
  if (!answer.is_array()) return Unexpected(answer);
  for (const Json& key : answer)
    if (key == match_key) return true;
  return false;
}

Result<Tracker::Server> Tracker::Request(const std::string& key, double wait_s,
                                         const std::function<bool()>& stop) {
  TRY(socket_.SendMessage({kRequest, key, "", 1}, kAnswerSeconds).With("the tracker"));
  for (double waited = 0; !socket_.Readable(kSlice_s); waited += kSlice_s) {
    if (stop()) return Fail(Code::kUnavailable, "no longer needed");
    if (waited >= wait_s)
      return Fail(Code::kTimeout, "the tracker has no free server of key '", key, "'");
  }
  Json answer = TRY(socket_.ReceiveMessage(kAnswerSeconds, kLargestAnswer).With("the tracker"));
  if (!answer.is_array() || answer.size() != 2 || answer[0] != 0 || !answer[1].is_array() ||
      answer[1].size() != 3 || !answer[1][0].is_string() || !answer[1][1].is_number_integer() ||
      !answer[1][2].is_string())
    return Unexpected(answer);
  return Server{{answer[1][0].get<std::string>(), answer[1][1].get<int>()},
                answer[1][2].get<std::string>()};
}

Result<int> Tracker::Count(const std::string& key) {
  Json answer = TRY(Ask(Json::array({kSummary})));
  if (!answer.is_array() || answer.size() != 2 || !answer[1].is_object() ||
      !answer[1].contains("server_info"))
    return Unexpected(answer);
  int count = 0;
  for (const Json& server : answer[1]["server_info"])
    count += server.is_object() && server.value("key", "") == "server:" + key;
  return count;
}

}  // namespace mutatenn
