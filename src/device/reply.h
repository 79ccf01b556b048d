// The envelope of every reply of a worker: {"ok": value} or {"error": {"code": number, "message":
// text}}.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

std::string SealReply(const Result<Json>& reply);
// The value of a reply, or the error in it with its own code.
Result<Json> OpenReply(const std::string& text);

}  // namespace mutatenn
