// Old campaigns of the original tool judged with right metrics, from the files that it left.
#pragma once

#include <string>

#include "base/result.h"

namespace mutatenn {

struct TreeCounts {
  size_t devices = 0, variants = 0, images = 0;
};

// Reads ROOT/DEVICE/VARIANT/mutations/ts_*/IMAGE.txt (of several runs the last) and writes the
// comparisons of `report --format paper` into `out`. kInvalidInput names a file that has another
// form; kNotFound when there is no such tree.
Result<TreeCounts> JudgeTree(const std::string& root, const std::string& out);

}  // namespace mutatenn
