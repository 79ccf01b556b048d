// TVM targets: from the user's JSON to a resolved one, whose text is canonical and enters cache
// keys.
#pragma once

#include <string>

#include "base/result.h"
#include "tvm/node.h"

namespace mutatenn {

struct Target {
  Node node;              // with host
  std::string label;      // for people and ids: the CPU's name and a hash of `canonical`
  std::string canonical;  // JSON; `host` replaced by this CPU's name and features
  std::string kind;       // "llvm"
};

// `json`: {"kind": "llvm", "mcpu": "host" | name, ...} or a bare kind. An unknown kind, key or CPU
// name is kInvalidInput with what to say instead.
Result<Target> ResolveTarget(const std::string& json);

}  // namespace mutatenn
