// Linked into every test program: where the sources, the built programs and the interpreter are,
// unless the environment says otherwise. So a test runs the same by ctest, by hand and in a
// debugger.
#include <cstdlib>

namespace {

const bool kEnvironmentSet = [] {
  setenv("MUTATENN_SOURCE_DIR", MUTATENN_TEST_SOURCE_DIR, /*replace=*/0);
  setenv("MUTATENN_BIN_DIR", MUTATENN_TEST_BIN_DIR, 0);
  setenv("MUTATENN_PYTHON", MUTATENN_TEST_PYTHON, 0);
  return true;
}();

}  // namespace
