// Names and exit statuses of error codes, and the end of a program that found a bug of its own.
#include "base/result.h"

#include <cstdio>

namespace mutatenn {

const char* CodeName(Code code) {
  switch (code) {
    case Code::kInvalidInput:
      return "invalid input";
    case Code::kNotFound:
      return "not found";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kTimeout:
      return "timeout";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kIo:
      return "input/output";
    case Code::kTvm:
      return "TVM";
    case Code::kInternal:
      return "internal";
  }
  return "unknown";
}

int ExitStatus(Code code) {
  switch (code) {
    case Code::kInvalidInput:
    case Code::kNotFound:
      return 2;
    case Code::kIo:
      return 3;
    case Code::kUnsupported:
    case Code::kTvm:
      return 4;
    case Code::kUnavailable:
      return 5;
    case Code::kTimeout:
      return 6;
    case Code::kInternal:
      return 1;
  }
  return 1;
}

void CheckFailed(const char* file, int line, const char* condition, const std::string& detail) {
  std::fprintf(stderr, "mutatenn: bug at %s:%d: %s%s%s\n", file, line, condition,
               detail.empty() ? "" : ": ", detail.c_str());
  std::abort();
}

}  // namespace mutatenn
