// Arrays out of a file of numpy.savez: an uncompressed zip archive of .npy files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace mutatenn {

struct NamedArray {
  std::string name;  // without ".npy"
  std::vector<int64_t> shape;
  std::vector<float> elements;  // C order; float64 is rounded
};

// In the order of the archive. kInvalidInput names what is not as numpy.savez writes it: a
// compressed archive, arrays of another type than float32 and float64, Fortran order.
Result<std::vector<NamedArray>> ReadNpz(const std::filesystem::path& path);

}  // namespace mutatenn
