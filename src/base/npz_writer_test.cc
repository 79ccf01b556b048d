// The archive as numpy reads it.
#include "base/npz_writer.h"

#include <sys/wait.h>

#include <cstdlib>

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/scratch_folder.h"

namespace mutatenn {
namespace {

TEST(Npz, NumpyReadsWhatWasWritten) {
  ScratchFolder folder = ScratchFolder::Make("npz").value();
  const std::string file = folder.path() + "/a.npz";
  const std::vector<NpzArray> arrays = {
      {"scores", "<f4", {2, 3}, BytesOf(std::vector<float>{1, -2.5f, 3e-8f, 4, 5, 6})},
      {"labels", "<i8", {2}, BytesOf(std::vector<int64_t>{-1, 1LL << 40})},
      {"names", "|S3", {2}, std::string("ab\0xyz", 6)},
      {"none", "<f4", {0, 4}, ""}};
  ASSERT_TRUE(WriteFile(file, NpzText(arrays)).ok());
  const char* script =
      "import sys, zipfile, numpy as np\n"
      "f = sys.argv[1]\n"
      "assert zipfile.ZipFile(f).testzip() is None\n"
      "a = np.load(f)\n"
      "assert a.files == ['scores', 'labels', 'names', 'none'], a.files\n"
      "assert np.array_equal(a['scores'], np.float32([[1, -2.5, 3e-8], [4, 5, 6]]))\n"
      "assert a['labels'].tolist() == [-1, 2**40] and a['labels'].dtype == np.int64\n"
      "assert a['names'].tolist() == [b'ab', b'xyz']\n"
      "assert a['none'].shape == (0, 4)\n";
  ASSERT_TRUE(WriteFile(folder.path() + "/check.py", script).ok());
  const std::string command =
      "\"$MUTATENN_PYTHON\" '" + folder.path() + "/check.py' '" + file + "'";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 0);
}

}  // namespace
}  // namespace mutatenn
