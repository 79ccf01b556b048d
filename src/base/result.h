// Result<T>: a value or an Error that says what was wrong, where, and what to do. For expected
// failures; CHECK is for our own bugs. TRY(expr) returns the error to the caller or yields the
// value.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace mutatenn {

enum class Code {
  kInvalidInput,  // the user's file, key, argument or model is wrong
  kNotFound,      // something named does not exist
  kUnsupported,   // TVM or this build cannot do it
  kTimeout,       // it took longer than its limit
  kUnavailable,   // a device or process is gone; trying again may help
  kIo,            // reading or writing failed (permissions, full disk)
  kTvm,           // TVM threw where nothing of the user's explains it
  kInternal,      // our bug
};

const char* CodeName(Code code);
// The exit status of `mutatenn` for an error of this code; docs/cli.md lists them.
int ExitStatus(Code code);

struct Error {
  Code code = Code::kInternal;
  std::string message;

  // "<context>: <message>"
  Error With(const std::string& context) const { return {code, context + ": " + message}; }
};

struct Unit {};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const { return std::get<1>(state_); }

  // Adds context to an error; a value passes unchanged.
  Result With(const std::string& context) && {
    if (ok()) return std::move(*this);
    return error().With(context);
  }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<Unit>;
inline Status Ok() { return Unit{}; }

template <class... Args>
Error Fail(Code code, Args&&... parts) {
  std::string text;
  ((text += parts), ...);
  return {code, std::move(text)};
}

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const std::string& detail = {});

}  // namespace mutatenn

#define TRY(expression)                                \
  ({                                                   \
    auto try_result_ = (expression);                   \
    if (!try_result_.ok()) return try_result_.error(); \
    std::move(try_result_).value();                    \
  })

#define CHECK(condition, ...)                                                             \
  do {                                                                                    \
    if (!(condition))                                                                     \
      ::mutatenn::CheckFailed(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
