// Machine code kept between campaigns: content key -> shared library and what is known of it.
// Entries are written aside, checksummed and renamed; a corrupt entry is as good as none.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "compile/schedule/packing.h"

namespace mutatenn {

struct CachedLibrary {
  std::string state = "ok";  // "ok", "stillborn" or "equivalent"
  std::string reason;
  std::string code;                // hash of the object's bytes
  std::optional<Packing> packing;  // of one of its inputs
};

class Cache {
 public:
  explicit Cache(std::string folder) : folder_(std::move(folder)) {}  // "" = no cache
  // A hit puts the library at `library` (state ok only).
  std::optional<CachedLibrary> Get(const std::string& key, const std::string& library) const;
  // Failures to write are ignored: a cache may be full or read-only, a campaign goes on without it.
  void Put(const std::string& key, const CachedLibrary& entry, const std::string& library) const;

 private:
  std::string folder_;
};

}  // namespace mutatenn
