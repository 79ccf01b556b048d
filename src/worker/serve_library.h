// `mutatenn-worker --library FD`: runs a network that somebody else compiled with TVM, in a process
// of its own, for `mutatenn compare`. JSON lines on the socket FD, until it is closed:
//   {"file": the library}                         -> {"ok": {}}
//   {"shape": [...], "input": base64 of float32}  -> {"ok": outputs, as device/remote.h has them}
#pragma once

namespace mutatenn {

// The exit status.
int ServeLibrary(int fd);

}  // namespace mutatenn
