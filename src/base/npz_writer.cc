// Names, types and bytes of arrays to the bytes of an archive: for each a local header and a .npy
// file, then the directory of all.
#include "base/npz_writer.h"

#include <array>
#include <limits>
#include <string_view>

#include "base/result.h"

namespace mutatenn {
namespace {

// The zip format's checksum (CRC-32, polynomial 0xEDB88320).
uint32_t Crc32(std::string_view bytes) {
  static const std::array<uint32_t, 256> kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
      table[i] = crc;
    }
    return table;
  }();
  uint32_t crc = 0xFFFFFFFFu;
  for (unsigned char byte : bytes) crc = kTable[(crc ^ byte) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

template <class T>
void AddNumber(std::string& text, uint64_t value) {
  for (size_t i = 0; i < sizeof(T); ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
}

// Version 1.0: magic, length of the header, the header padded so that the elements are aligned.
std::string NpyText(const NpzArray& array) {
  std::string shape;
  for (int64_t size : array.shape) shape += std::to_string(size) + ",";
  std::string header =
      "{'descr': '" + array.type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr size_t kBefore = 10, kAlignment = 64;
  while ((kBefore + header.size() + 1) % kAlignment != 0) header += ' ';
  header += '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  AddNumber<uint16_t>(text, header.size());
  return text + header + array.bytes;
}

// What the local header and the directory say alike: version 2.0, stored, no time, sizes, name.
std::string Entry(const std::string& file, std::string_view content) {
  std::string text;
  AddNumber<uint16_t>(text, 20);
  AddNumber<uint16_t>(text, 0);
  AddNumber<uint16_t>(text, 0);
  AddNumber<uint16_t>(text, 0);
  AddNumber<uint16_t>(text, 0x21);  // 1980-01-01: equal arrays give equal bytes
  AddNumber<uint32_t>(text, Crc32(content));
  AddNumber<uint32_t>(text, content.size());
  AddNumber<uint32_t>(text, content.size());
  AddNumber<uint16_t>(text, file.size());
  AddNumber<uint16_t>(text, 0);
  return text;
}

}  // namespace

std::string NpzText(std::span<const NpzArray> arrays) {
  std::string archive, directory;
  for (const NpzArray& array : arrays) {
    const std::string file = array.name + ".npy", content = NpyText(array);
    const std::string entry = Entry(file, content);
    const size_t offset = archive.size();
    archive += std::string("PK\x03\x04", 4) + entry + file + content;
    directory += std::string("PK\x01\x02", 4);
    AddNumber<uint16_t>(directory, 20);
    directory += entry;
    directory += std::string(10, '\0');  // no comment, first disk, no attributes
    AddNumber<uint32_t>(directory, offset);
    directory += file;
  }
  const size_t start = archive.size();
  CHECK(start + directory.size() < std::numeric_limits<uint32_t>::max(), "an archive below 4 GiB");
  archive += directory + std::string("PK\x05\x06\0\0\0\0", 8);
  AddNumber<uint16_t>(archive, arrays.size());
  AddNumber<uint16_t>(archive, arrays.size());
  AddNumber<uint32_t>(archive, directory.size());
  AddNumber<uint32_t>(archive, start);
  AddNumber<uint16_t>(archive, 0);
  return archive;
}

}  // namespace mutatenn
