// Image files to small JPEGs as text.
#include "report/thumbnails.h"

#include <algorithm>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/base64.h"
#include "base/files.h"
#include "base/hash.h"

namespace mutatenn {
namespace {

constexpr double kSide = 48;  // pixels, of the longer side
constexpr int kQuality = 60;  // of JPEG: about 1 KB a picture

// Empty where OpenCV does not read it. OpenCV throws on what it cannot encode.
std::string DataUri(const std::string& bytes) {
  try {
    const std::vector<unsigned char> file(bytes.begin(), bytes.end());
    // A quarter of the size is enough for what is left of it, and JPEG decodes that much faster.
    cv::Mat image = cv::imdecode(file, cv::IMREAD_REDUCED_COLOR_4);
    if (image.empty()) return "";
    const double scale = std::min(1.0, kSide / std::max(image.cols, image.rows));
    cv::resize(image, image, {}, scale, scale, cv::INTER_AREA);
    std::vector<unsigned char> small;
    if (!cv::imencode(".jpg", image, small, {cv::IMWRITE_JPEG_QUALITY, kQuality})) return "";
    return "data:image/jpeg;base64," +
           ToBase64({reinterpret_cast<const char*>(small.data()), small.size()});
  } catch (const cv::Exception&) {
    return "";
  }
}

}  // namespace

std::vector<std::string> Thumbnails(const std::vector<StoredImage>& images, size_t limit) {
  std::vector<std::string> uris(images.size());
  size_t size = 0;
  for (size_t i = 0; i < images.size(); ++i) {
    Result<std::string> bytes = ReadFile(images[i].path);
    if (!bytes.ok() || HashBytes(*bytes) != images[i].hash) continue;
    std::string uri = DataUri(*bytes);
    if (size + uri.size() > limit) break;
    size += uri.size();
    uris[i] = std::move(uri);
  }
  return uris;
}

}  // namespace mutatenn
