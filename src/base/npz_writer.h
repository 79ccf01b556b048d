// Arrays to numpy's .npz, a zip archive of .npy files: uncompressed, as numpy.savez writes it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mutatenn {

struct NpzArray {
  std::string name;
  std::string type;  // numpy's, little endian: "<f4", "<i8", "|S12"
  std::vector<int64_t> shape;
  std::string bytes;  // elements in row-major order
};

// Archives of 4 GiB or more are refused by a CHECK: numpy would need another form of zip.
std::string NpzText(std::span<const NpzArray> arrays);

// The bytes of a row of numbers, for NpzArray::bytes.
template <class T>
std::string BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace mutatenn
