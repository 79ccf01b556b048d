// The sanitisers' options for every program of ours, so that ctest and a run by hand are the same.
#include "base/sanitizer.h"

#ifdef __SANITIZE_ADDRESS__

// Leaks are not looked for: TVM's registries live until the end of the process by design, and the
// check itself needs ptrace, which children and containers may not have.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:detect_stack_use_after_return=0";
}

extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1:halt_on_error=1"; }

#endif
