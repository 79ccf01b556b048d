// JSON of a known form into values: nlohmann throws on a missing key or a wrong type, which becomes
// an error that names what was read.
#pragma once

#include "base/json.h"
#include "base/result.h"

namespace mutatenn {

// What `f`, which returns a Result, reads; kInvalidInput "WHAT is damaged: ..." where it throws.
template <class F>
auto Decode(const char* what, F&& f) -> decltype(f()) {
  try {
    return f();
  } catch (const nlohmann::json::exception& e) {
    return Fail(Code::kInvalidInput, what, " is damaged: ", e.what());
  }
}

}  // namespace mutatenn
