// Small files that a call needs, in the message of the call: one way and back instead of three on a
// link where each takes its time.
#pragma once

#include <map>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

struct InlineCall {
  std::string function, argument;
};

// The argument of "mutatenn.with": `files` are bytes by content name, `root` is the folder there.
std::string WithFiles(const InlineCall& call, const std::string& root,
                      const std::map<std::string, std::string>& files);
// Keeps the files and returns the call that they came with.
Result<InlineCall> TakeInlineCall(const std::string& text);

}  // namespace mutatenn
