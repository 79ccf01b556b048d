// The archive's central directory, then each entry's header and elements.
#include "base/npz.h"

#include <cstring>

#include "base/files.h"

namespace mutatenn {
namespace {

// Reads numbers out of bytes; everything beyond the end is an error, found once.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  T Number(size_t at) {
    T value = 0;
    if (at + sizeof value > bytes_.size()) {
      good_ = false;
    } else {
      std::memcpy(&value, bytes_.data() + at, sizeof value);
    }
    return value;
  }
  std::string_view Bytes(size_t at, size_t count) {
    if (at > bytes_.size() || count > bytes_.size() - at) {
      good_ = false;
      return {};
    }
    return bytes_.substr(at, count);
  }
  bool good() const { return good_; }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

// What stands behind 'key': in a .npy header, up to the next comma outside parentheses.
std::string Field(std::string_view header, const std::string& key) {
  size_t at = header.find("'" + key + "':");
  if (at == std::string_view::npos) return "";
  at += key.size() + 3;
  while (at < header.size() && header[at] == ' ') ++at;
  int depth = 0;
  std::string text;
  for (; at < header.size() && (depth > 0 || (header[at] != ',' && header[at] != '}')); ++at) {
    depth += header[at] == '(' ? 1 : header[at] == ')' ? -1 : 0;
    text += header[at];
  }
  return text;
}

template <class T>
void Append(std::string_view bytes, std::vector<float>* elements) {
  for (size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    elements->push_back(static_cast<float>(value));
  }
}

Result<NamedArray> ReadNpy(std::string name, std::string_view bytes) {
  auto damaged = [&](const std::string& what) {
    return Fail(Code::kInvalidInput, "the array '", name, "' ", what);
  };
  Reader reader(bytes);
  if (!bytes.starts_with("\x93NUMPY") || bytes.size() < 10) return damaged("is no .npy file");
  const bool wide = bytes[6] >= 2;
  const size_t start = wide ? 12 : 10;
  const size_t length = wide ? reader.Number<uint32_t>(8) : reader.Number<uint16_t>(8);
  const std::string_view header = reader.Bytes(start, length);
  NamedArray array{std::move(name), {}, {}};
  int64_t count = 1;
  const std::string shape = Field(header, "shape"), type = Field(header, "descr");
  for (size_t at = 0; at < shape.size(); ++at) {
    if (shape[at] < '0' || shape[at] > '9') continue;
    size_t end = at;
    int64_t size = 0;
    for (; end < shape.size() && shape[end] >= '0' && shape[end] <= '9' && size < (1LL << 40);
         ++end)
      size = size * 10 + (shape[end] - '0');
    at = end;
    array.shape.push_back(size);
    if (__builtin_mul_overflow(count, size, &count)) return damaged("is damaged");
  }
  name = array.name;
  if (type != "'<f4'" && type != "'<f8'") return damaged("is of type " + type + ", not float32");
  if (Field(header, "fortran_order") != "False") return damaged("is in Fortran order");
  const int64_t element = type == "'<f4'" ? 4 : 8;
  const int64_t there = std::ssize(bytes) - static_cast<int64_t>(start + length);
  if (!reader.good() || count > there / element) return damaged("is cut off");
  const std::string_view data = reader.Bytes(start + length, static_cast<size_t>(count * element));
  element == 4 ? Append<float>(data, &array.elements) : Append<double>(data, &array.elements);
  return array;
}

}  // namespace

Result<std::vector<NamedArray>> ReadNpz(const std::filesystem::path& path) {
  const std::string bytes = TRY(ReadFile(path));
  auto wrong = [&](const std::string& what) {
    return Fail(Code::kInvalidInput, path.string(), ": ", what);
  };
  Reader reader(bytes);
  const size_t end = bytes.rfind("PK\5\6");
  if (end == std::string::npos) return wrong("is no file of numpy.savez");
  const size_t count = reader.Number<uint16_t>(end + 10);
  size_t at = reader.Number<uint32_t>(end + 16);
  std::vector<NamedArray> arrays;
  for (size_t i = 0; i < count && reader.good(); ++i) {
    if (reader.Bytes(at, 4) != "PK\1\2") return wrong("is damaged");
    const size_t name_bytes = reader.Number<uint16_t>(at + 28);
    std::string name(reader.Bytes(at + 46, name_bytes));
    if (reader.Number<uint16_t>(at + 10) != 0)
      return wrong("is compressed; write it with numpy.savez, not savez_compressed");
    const size_t size = reader.Number<uint32_t>(at + 24), local = reader.Number<uint32_t>(at + 42);
    at += 46 + name_bytes + reader.Number<uint16_t>(at + 30) + reader.Number<uint16_t>(at + 32);
    const size_t data =
        local + 30 + reader.Number<uint16_t>(local + 26) + reader.Number<uint16_t>(local + 28);
    const std::string_view file = reader.Bytes(data, size);
    if (!reader.good()) break;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    arrays.push_back(TRY(ReadNpy(std::move(name), file).With(path.string())));
  }
  if (!reader.good()) return wrong("is cut off");
  return arrays;
}

}  // namespace mutatenn
