// Two kernels that every program for an accelerator brings along beside its own: the worker
// compares and checks values where they lie. No step calls them. Buffers are words of 32 bits.
#pragma once

#include <cstdint>

namespace mutatenn {

// differ(a, b, table, flags, begin, base, chunks): for each of `chunks` chunks from the chunk
// `begin` on, where a word of a and b differs, flags[base + table[2 * chunk]] becomes 1; flags[base
// + table[2 * chunk] + 1] for words of the chunk from its table[2 * chunk + 1]-th on.
inline constexpr const char* kDifferKernel = "tool.differ";
inline constexpr int64_t kChunkWords = 1024;
inline constexpr int64_t kChunkBytes = kChunkWords * 4;

// digest(a, digest, rounds): kDigestWords words that tell apart any two contents of `rounds *
// kDigestWords` words that differ in one word, and others but for one in 2^32.
inline constexpr const char* kDigestKernel = "tool.digest";
inline constexpr int64_t kDigestWords = 65536;

inline constexpr int64_t kToolThreads = 64;  // of a block; every device has as many

}  // namespace mutatenn
