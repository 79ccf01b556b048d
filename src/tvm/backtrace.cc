// Errors of TVM without stack traces: nobody reads them here, and a process's first one loads the
// debug information of every library (0.15 to 0.35 s, 22 MB that every fork copies the pages of).
#include <tvm/ffi/c_api.h>

// TVM's libraries find this definition before libtvm_ffi's own: in a program because it is one, in
// Python because the front-end child loads it first.
extern "C" const TVMFFIByteArray* TVMFFIBacktrace(const char* /*filename*/, int /*line*/,
                                                  const char* /*function*/,
                                                  int /*cross_ffi_boundary*/) {
  static const TVMFFIByteArray kNone{"", 0};
  return &kNone;
}
