// Results as replies, and back.
#include "device/reply.h"

namespace mutatenn {
namespace {

constexpr int kLastCode = static_cast<int>(Code::kInternal);

}  // namespace

std::string SealReply(const Result<Json>& reply) {
  if (reply.ok()) return DumpJson({{"ok", reply.value()}});
  const Error& error = reply.error();
  return DumpJson(
      {{"error", {{"code", static_cast<int>(error.code)}, {"message", error.message}}}});
}

Result<Json> OpenReply(const std::string& text) {
  Json reply = TRY(ParseJson(text, "a reply of the worker"));
  if (reply.is_object() && reply.contains("ok")) return reply["ok"];
  if (!reply.is_object() || !reply.contains("error") || !reply["error"].is_object())
    return Fail(Code::kInternal, "a reply of the worker has neither value nor error");
  const Json& error = reply["error"];
  int code = error.contains("code") && error["code"].is_number_integer() ? error["code"].get<int>()
                                                                         : kLastCode;
  if (code < 0 || code > kLastCode) code = kLastCode;
  std::string message = error.contains("message") && error["message"].is_string()
                            ? error["message"].get<std::string>()
                            : "no text";
  return Error{static_cast<Code>(code), message};
}

}  // namespace mutatenn
