// Passes of Relax that modules for other programs are taken through.
#pragma once

namespace mutatenn {

// Bindings of dataflow blocks become plain ones.
inline constexpr const char* kToNonDataflow = "relax.transform.ToNonDataflow";

}  // namespace mutatenn
