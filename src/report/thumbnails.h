// Small pictures of a model's images for the HTML report.
#pragma once

#include <string>
#include <vector>

#include "store/store.h"

namespace mutatenn {

// For each image a data URI (JPEG, at most 48 pixels a side), "" where its file is gone, has other
// content than the campaign's, or where the first ones fill `limit` bytes.
std::vector<std::string> Thumbnails(const std::vector<StoredImage>& images, size_t limit);

}  // namespace mutatenn
