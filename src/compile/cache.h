// Machine code kept between campaigns: content key -> shared library and what is known of it.
// Entries are written aside, checksummed and renamed; a corrupt entry is as good as none. Kernels
// that were compiled together share a library.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "compile/schedule/packing.h"

namespace mutatenn {

struct CachedLibrary {
  std::string state = "ok";  // "ok", "stillborn" or "equivalent"
  std::string reason;
  std::string code;                // hash of its machine code, "" = not known
  std::string lowered;             // structural hash of the lowered function
  std::optional<Packing> packing;  // of one of its inputs
  std::string library;             // file name
  std::string symbol;              // in the library
  bool fixed_accesses = false;     // see Kernel; known of mutated kernels
};

class Cache {
 public:
  explicit Cache(std::string folder) : folder_(std::move(folder)) {}  // "" = no cache
  // A hit puts the entry's library into `folder`, under its name (state ok only).
  std::optional<CachedLibrary> Get(const std::string& key, const std::string& folder) const;
  // Takes the entry's library from `folder`. Failures to write are ignored: a cache may be full or
  // read-only, a campaign goes on without it.
  void Put(const std::string& key, const CachedLibrary& entry, const std::string& folder) const;

 private:
  std::string Stem(const std::string& name) const;
  std::string folder_;
};

}  // namespace mutatenn
