// Sections, symbols and relocations of a relocatable 64-bit ELF file, little-endian, read as the
// System V ABI lays them out.
#include "compile/machine_code.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "base/hash.h"

namespace mutatenn {
namespace {

// What a kernel exports is its symbol (plain_function.h), or one of TVM's names: what the packed
// convention exports, and the function that computes, which LLVM may have put into the other one.
constexpr const char* kExported = "__tvm_ffi_";
constexpr const char* kComputes = "_compute_";
constexpr const char* kStartup = "__tvm_module_startup";  // empty, there without the optimiser

class Object {
 public:
  static Result<Object> Read(const std::string& bytes) {
    Object object(bytes);
    const auto header = object.At<Elf64_Ehdr>(0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
      return Fail(Code::kInternal, "the compiler's object is no 64-bit little-endian ELF file");
    for (size_t i = 0; i < header->e_shnum; ++i) {
      const auto section = object.At<Elf64_Shdr>(header->e_shoff + i * sizeof(Elf64_Shdr));
      if (!section) return Damaged();
      object.sections_.push_back(*section);
    }
    for (const Elf64_Shdr& section : object.sections_) {
      if (section.sh_type != SHT_SYMTAB) continue;
      if (section.sh_link >= object.sections_.size()) return Damaged();
      const Elf64_Shdr& names = object.sections_[section.sh_link];
      for (size_t at = 0; at + sizeof(Elf64_Sym) <= section.sh_size; at += sizeof(Elf64_Sym)) {
        const auto symbol = object.At<Elf64_Sym>(section.sh_offset + at);
        if (!symbol || names.sh_offset + symbol->st_name >= bytes.size()) return Damaged();
        object.symbols_.push_back({*symbol, bytes.c_str() + names.sh_offset + symbol->st_name});
      }
    }
    return object;
  }

  Result<std::string> CodeOf(const std::string& symbol) const {
    const std::string computes = symbol + kComputes, exported = kExported + symbol;
    const Symbol* function = nullptr;
    for (const Symbol& s : symbols_) {
      if (ELF64_ST_TYPE(s.entry.st_info) != STT_FUNC) continue;
      if (s.name == symbol || s.name == computes || (s.name == exported && function == nullptr))
        function = &s;
      // A call within a section has no relocation, so its bytes depend on the neighbours: none of
      // our kernels has a local function to call (a parallel loop would).
      if (ELF64_ST_BIND(s.entry.st_info) == STB_LOCAL && !s.name.ends_with(kComputes) &&
          s.name != kStartup)
        return std::string();
    }
    if (function == nullptr)
      return Fail(Code::kInternal, "the compiler's object has no function '", symbol, "'");
    const size_t index = function->entry.st_shndx;
    const uint64_t start = function->entry.st_value, size = function->entry.st_size;
    if (index >= sections_.size() || sections_[index].sh_offset + start + size > bytes_->size())
      return Damaged();
    std::string text = bytes_->substr(sections_[index].sh_offset + start, size);
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type != SHT_RELA || section.sh_info != index) continue;
      for (size_t at = 0; at + sizeof(Elf64_Rela) <= section.sh_size; at += sizeof(Elf64_Rela)) {
        const auto relocation = At<Elf64_Rela>(section.sh_offset + at);
        if (!relocation) return Damaged();
        if (relocation->r_offset < start || relocation->r_offset >= start + size) continue;
        const std::optional<std::string> target = Target(*relocation);
        if (!target) return std::string();
        text += "\n" + std::to_string(relocation->r_offset - start) + " " +
                std::to_string(ELF64_R_TYPE(relocation->r_info)) + " " + *target;
      }
    }
    return HashBytes(text);
  }

 private:
  struct Symbol {
    Elf64_Sym entry;
    std::string_view name;
  };
  explicit Object(const std::string& bytes) : bytes_(&bytes) {}
  static Error Damaged() { return Fail(Code::kInternal, "the compiler's object is damaged"); }

  template <class T>
  std::optional<T> At(uint64_t offset) const {
    if (offset > bytes_->size() || bytes_->size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_->data() + offset, sizeof(T));
    return value;
  }

  // A name and an offset, or the constant that is meant; nothing for any other place in the object,
  // which only an address could tell.
  std::optional<std::string> Target(const Elf64_Rela& relocation) const {
    const size_t at = ELF64_R_SYM(relocation.r_info);
    if (at >= symbols_.size()) return std::nullopt;
    const Symbol& symbol = symbols_[at];
    if (ELF64_ST_BIND(symbol.entry.st_info) != STB_LOCAL)
      return std::string(symbol.name) + "+" + std::to_string(relocation.r_addend);
    const size_t index = symbol.entry.st_shndx;
    if (index >= sections_.size() || HasRelocations(index)) return std::nullopt;
    const Elf64_Shdr& section = sections_[index];
    // A pool of constants of one size: a label before each, the addend is the instruction's.
    if ((section.sh_flags & SHF_MERGE) != 0 && !symbol.name.empty())
      return Constant(section, symbol.entry.st_value, section.sh_entsize, relocation.r_addend);
    // Constants of a whole AVX-512 register have a pool without labels. The addend counts from
    // behind the operand, four bytes, or more where an immediate follows.
    constexpr int64_t kRegister = 64, kOperand = 4;
    if (section.sh_type != SHT_PROGBITS || section.sh_addralign != kRegister) return std::nullopt;
    const int64_t target = relocation.r_addend + kOperand;
    const int64_t block = (target + kOperand - 1) / kRegister * kRegister;
    return Constant(section, static_cast<uint64_t>(block), kRegister, target - block);
  }

  std::optional<std::string> Constant(const Elf64_Shdr& section, uint64_t offset, uint64_t size,
                                      int64_t addend) const {
    if (offset > section.sh_size || size == 0 || section.sh_size - offset < size ||
        section.sh_offset + offset + size > bytes_->size())
      return std::nullopt;
    return "constant " + bytes_->substr(section.sh_offset + offset, size) + "+" +
           std::to_string(addend);
  }

  bool HasRelocations(size_t section) const {
    return std::any_of(sections_.begin(), sections_.end(), [&](const Elf64_Shdr& s) {
      return s.sh_type == SHT_RELA && s.sh_info == section;
    });
  }

  const std::string* bytes_;
  std::vector<Elf64_Shdr> sections_;
  std::vector<Symbol> symbols_;
};

}  // namespace

Result<std::string> CodeOf(const std::string& object, const std::string& symbol) {
  return TRY(Object::Read(object)).CodeOf(symbol);
}

}  // namespace mutatenn
