// Whether this program is built with AddressSanitizer (preset asan). Its shadow memory takes
// terabytes of address space, so RLIMIT_AS cannot be set there, and its operator new calls no
// handler.
#pragma once

namespace mutatenn {

#ifdef __SANITIZE_ADDRESS__
constexpr bool kAddressSanitized = true;
#else
constexpr bool kAddressSanitized = false;
#endif

}  // namespace mutatenn
